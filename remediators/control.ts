/** The hands of remediators: they read and write kernel parameters, and nothing else in this version. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { messageOf } from '../common/errors.ts'
import type { Control } from './contract.ts'

const WITHIN = '/proc/sys/'
/** A kernel parameter is at most a page. */
const TEXT_BYTES_MAX = 4_096

/** `root` is where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
export function createControl(root = '/'): Control {
  const locate = (path: string) => {
    // A path that is not in its shortest form could lead elsewhere than it seems to.
    if (!path.startsWith(WITHIN) || normalize(path) !== path) throw new Error(`${path} is not below ${WITHIN}`)
    return join(root, path)
  }
  return {
    async readText(path) {
      return readUpTo(path, locate(path))
    },
    async writeText(path, text) {
      if (Buffer.byteLength(text) > TEXT_BYTES_MAX) throw new Error(`more than ${TEXT_BYTES_MAX} bytes for ${path}`)
      await overwrite(path, locate(path), text)
    },
  }
}

async function readUpTo(path: string, located: string): Promise<string> {
  return withFile(path, located, constants.O_RDONLY, async (file) => {
    const buffer = Buffer.alloc(TEXT_BYTES_MAX + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
    if (bytesRead > TEXT_BYTES_MAX) throw new Error(`it is over ${TEXT_BYTES_MAX} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  })
}

/** In a single write, since the kernel takes each write as a whole value; never creates the file. */
async function overwrite(path: string, located: string, text: string): Promise<void> {
  await withFile(path, located, constants.O_WRONLY | constants.O_TRUNC, (file) => file.write(text, 0))
}

async function withFile<T>(path: string, located: string, flags: number, use: (file: FileHandle) => Promise<T>) {
  let file: FileHandle | undefined
  try {
    file = await open(located, flags)
    return await use(file)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? messageOf(error)
    const deed = flags === constants.O_RDONLY ? 'read' : 'written'
    throw new Error(`${path} cannot be ${deed}: ${why}`, { cause: error })
  } finally {
    await file?.close()
  }
}
