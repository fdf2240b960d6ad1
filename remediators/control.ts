/** The hands of remediators on a host: what they may see, write and run is what they said that they touch. */
import { constants } from 'node:fs'
import { chown, type FileHandle, lstat, open, realpath, rm } from 'node:fs/promises'
import { dirname, join, normalize, sep } from 'node:path'
import { writeFileAtomically } from '../common/atomic-file.ts'
import { messageOf } from '../common/errors.ts'
import type { Host, Touches } from '../detectors/contract.ts'
import { globMatcher, guardedHost } from '../detectors/host/guarded.ts'
import type { Control } from './contract.ts'

/** Where each write is a whole value, and no file can be made. */
const KERNEL = ['/proc/', '/sys/']
/** A value of the kernel's is at most a page. */
const VALUE_BYTES_MAX = 4_096

export interface ControlInit {
  readonly host: Host
  /** Where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
  readonly root: string
  readonly touches: Touches
}

export function createControl({ host, root, touches }: ControlInit): Control {
  const mayWrite = globMatcher(touches.writes ?? [])
  const locate = (path: string, ofKernel: boolean) => {
    // A path that is not in its shortest form could lead elsewhere than it seems to.
    if (normalize(path) !== path || !mayWrite(path)) {
      throw new Error(`${path} is not among what this remediator says that it writes`)
    }
    if (KERNEL.some((folder) => path.startsWith(folder)) !== ofKernel) {
      throw new Error(`${path} is ${ofKernel ? 'no value' : 'a value'} of the kernel's`)
    }
    return join(root, path)
  }
  return {
    host: guardedHost(host, touches),
    async writeText(path, text) {
      if (Buffer.byteLength(text) > VALUE_BYTES_MAX) throw new Error(`more than ${VALUE_BYTES_MAX} bytes for ${path}`)
      // In a single write, since the kernel takes each write as a whole value; never creates the file.
      await within(path, locate(path, true), constants.O_WRONLY | constants.O_TRUNC, (file) => file.write(text, 0))
    },
    async replaceFile(path, text) {
      await told(path, 'replaced', async () => replace(await withinRoot(root, locate(path, false)), text))
    },
    async truncate(path) {
      const located = await told(path, 'emptied', () => withinRoot(root, locate(path, false)))
      await within(path, located, constants.O_WRONLY | constants.O_NOFOLLOW, (file) => file.truncate(0))
    },
  }
}

async function replace(located: string, text: string | null): Promise<void> {
  const old = await lstat(located).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (old !== undefined && !old.isFile()) throw new Error('it is no regular file')
  if (text === null) return rm(located, { force: true })
  await writeFileAtomically(located, text, old === undefined ? 0o644 : old.mode & 0o7777)
  if (old !== undefined) await chown(located, old.uid, old.gid)
}

/** A link of the host's in the folders above could lead out of the root that it is mounted under. */
async function withinRoot(root: string, located: string): Promise<string> {
  const [top, folder] = await Promise.all([realpath(root), realpath(dirname(located))])
  const isWithin = folder === top || folder.startsWith(top.endsWith(sep) ? top : `${top}${sep}`)
  if (!isWithin) throw new Error('a link leads out of the host')
  return located
}

async function within(path: string, located: string, flags: number, use: (file: FileHandle) => Promise<unknown>) {
  let file: FileHandle | undefined
  await told(path, 'written', async () => {
    file = await open(located, flags)
    await use(file)
  }).finally(() => file?.close())
}

async function told<T>(path: string, deed: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? messageOf(error)
    throw new Error(`${path} cannot be ${deed}: ${why}`, { cause: error })
  }
}
