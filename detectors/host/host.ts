/** The real host: its files below a root folder, its filesystems, and what the mesh knows of its clock. */
import { constants } from 'node:fs'
import { access, type FileHandle, open, readdir, readlink, stat, statfs } from 'node:fs/promises'
import { isAbsolute, join, normalize } from 'node:path'
import { messageOf } from '../../common/errors.ts'
import { createLogs } from '../logs/logs.ts'
import { readProcesses } from '../reading/processes.ts'
import { runCommand } from './command.ts'
import { grpcCall } from './grpc.ts'
import { httpGet } from './http.ts'
import { intoHost } from './namespaces.ts'
import { type FilesystemUse, type Host, NotApplicable, type PeerOffset } from './port.ts'
import { missingPrivileges } from './privileges.ts'
import { sharedTable } from './shared-table.ts'

/** No file of a disk that a detector reads is larger; one that is was not meant, and must not fill the agent's memory. */
export const FILE_BYTES_MAX = 1024 * 1024
/**
 * The kernel's tables grow with the host. /proc/interrupts has 11 bytes for each processor in each line: over 2 MiB with 128
 * of them and 1,500 queues of disks and cards; a line of mountinfo is of up to 4 KiB for each container.
 */
export const TABLE_BYTES_MAX = 8 * FILE_BYTES_MAX
/** /proc answers at most a page or a few per read whatever is asked for. */
const CHUNK_BYTES = 64 * 1024
/** A command line can be megabytes long, by the will of whoever started it; what tells programs apart comes first. */
const WORDS_BYTES = 4 * 1024

export interface HostOptions {
  readonly node: string
  /** Where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
  readonly root?: string
  readonly peerOffsets: () => readonly PeerOffset[]
  /** None when not given: without a mesh nothing is measured, and there is no pool. */
  readonly peerLinks?: Host['peerLinks']
  readonly majority?: Host['majority']
}

export interface OpenHost extends Host {
  /** Lets go of the logs that it follows, which looks at them have begun. */
  close(): void
}

export function createHost({
  node,
  root = '/',
  peerOffsets,
  peerLinks = () => [],
  majority = () => undefined,
}: HostOptions): OpenHost {
  const logs = createLogs(
    (path) => locate(root, path),
    (program) => intoHost(root, program),
  )
  const readText = async (path: string) => readBounded(path, locate(root, path))
  const files = { readText, locate: (path: string) => locate(root, path) }
  const words = async (path: string) => readWords(path, locate(root, path))
  const names = async (path: string) => list(path, locate(root, path))
  return {
    node,
    missing: (needs) => missingPrivileges(root, needs),
    readText,
    readInt: async (path) => parseWholeNumber(path, await readText(path)),
    readWords: words,
    processes: sharedTable(() => readProcesses({ list: names, readWords: words })),
    readLink: async (path) => readLink(path, locate(root, path)),
    list: names,
    age: async (path) => age(path, locate(root, path)),
    exists: async (path) => exists(path, locate(root, path)),
    filesystem: (path) => filesystemUse(path, root),
    get: (url, options) => httpGet(url, options, files),
    call: (url, message, options) => grpcCall(url, message, options, files),
    run: async (command, options) => {
      if (!isAbsolute(command[0])) throw new Error(`${command[0]} is not an absolute path`)
      return runCommand(command, options, root)
    },
    log: logs.look,
    letGo: logs.letGo,
    close: logs.close,
    peerOffsets,
    peerLinks,
    majority,
  }
}

/** The whole number that is all of `text`, but for white space. Throws an Error naming `path` when it is anything else. */
export function parseWholeNumber(path: string, text: string): number {
  const digits = text.trim()
  const value = Number(digits)
  if (!/^-?\d+$/.test(digits) || !Number.isSafeInteger(value)) {
    throw new Error(`${path} holds ${JSON.stringify(digits.slice(0, 40))}, which is no whole number`)
  }
  return value
}

/** Where a path of the host is found here. `..` is resolved first, so that it cannot lead out of the root. */
function locate(root: string, path: string): string {
  if (!isAbsolute(path)) throw new Error(`${path} is not an absolute path`)
  return join(root, normalize(path))
}

async function exists(path: string, located: string): Promise<boolean> {
  try {
    await access(located)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw unreadable(path, error)
  }
}

async function age(path: string, located: string): Promise<number> {
  try {
    return Date.now() - (await stat(located)).mtimeMs
  } catch (error) {
    throw missingOrUnreadable(path, error)
  }
}

async function readLink(path: string, located: string): Promise<string> {
  try {
    return await readlink(located)
  } catch (error) {
    throw missingOrUnreadable(path, error)
  }
}

async function list(path: string, located: string): Promise<readonly string[]> {
  try {
    return await readdir(located)
  } catch (error) {
    throw missingOrUnreadable(path, error)
  }
}

async function readWords(path: string, located: string): Promise<readonly string[]> {
  const file = await openFile(path, located)
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(WORDS_BYTES), 0, WORDS_BYTES, null)
    const text = buffer.toString('utf8', 0, bytesRead)
    if (text === '') return []
    return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0')
  } catch (error) {
    // Its process ended after the file was opened.
    const hasEnded = (error as NodeJS.ErrnoException).code === 'ESRCH'
    throw hasEnded ? new NotApplicable(`${path} is of a process that has ended`) : unreadable(path, error)
  } finally {
    await file.close()
  }
}

async function openFile(path: string, located: string): Promise<FileHandle> {
  try {
    // Non-blocking, since opening a FIFO would otherwise wait for a writer, for ever and in a thread of the pool.
    return await open(located, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw missingOrUnreadable(path, error)
  }
}

async function readBounded(path: string, located: string): Promise<string> {
  const file = await openFile(path, located)
  try {
    const bytesMax = normalize(path).startsWith('/proc/') ? TABLE_BYTES_MAX : FILE_BYTES_MAX
    return decode(path, await readAll(path, file, bytesMax))
  } finally {
    await file.close()
  }
}

/** Reads to the end and not by the file's size, which is 0 for everything in /proc. */
async function readAll(path: string, file: FileHandle, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  // One for all reads, since what they bring is often a small part of it.
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let length = 0
  for (;;) {
    // A failure here includes files of a process or device that went away after they were opened (ESRCH, ENODEV).
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null).catch((error: unknown) => {
      throw unreadable(path, error)
    })
    if (bytesRead === 0) return Buffer.concat(chunks)
    length += bytesRead
    if (length > bytesMax) throw new Error(`${path} is over ${bytesMax / FILE_BYTES_MAX} MiB, more than is read of it`)
    chunks.push(Buffer.from(chunk.subarray(0, bytesRead)))
  }
}

function decode(path: string, bytes: Buffer): string {
  if (bytes.includes(0)) throw new Error(`${path} is not text: it holds NUL bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Error(`${path} is not text: it is not UTF-8`)
  }
}

async function filesystemUse(path: string, root: string): Promise<FilesystemUse> {
  const located = locate(root, path)
  try {
    if (normalize(root) !== '/' && (await stat(located)).dev === (await stat('/')).dev) {
      // In a pod that mounts only /host/proc, /host itself lies on the container's own filesystem. Its figures would
      // pass for the host's.
      throw new NotApplicable(`${path} of the host is not mounted under ${root}`)
    }
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(located)
    return {
      bytes: blocks * bsize,
      bytesUsed: (blocks - bfree) * bsize,
      bytesAvailable: bavail * bsize,
      inodes: files,
      inodesFree: ffree,
    }
  } catch (error) {
    if (error instanceof NotApplicable) throw error
    throw missingOrUnreadable(path, error)
  }
}

function missingOrUnreadable(path: string, error: unknown): Error {
  return isMissing(error) ? new NotApplicable(`${path} does not exist on this host`) : unreadable(path, error)
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  // ENOTDIR: a parent of the path is a file, so the path does not exist either.
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function unreadable(path: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? messageOf(error)
  return new Error(`${path} cannot be read: ${code}`, { cause: error })
}
