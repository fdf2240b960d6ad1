/** Files by what they take of a disk, as find(1) tells of them: nothing else says which filesystem a file is on. */
import { type Host, NotApplicable } from '../../detectors/contract.ts'

export const FIND = '/usr/bin/find'

export interface FoundFile {
  readonly path: string
  /** Of the filesystem that it is on, as a decimal number. */
  readonly device: string
  /** That are free when it is removed: not those of holes. */
  readonly bytes: number
  /** Another one in its place, or the same one written to, has another: what a plan was made for. */
  readonly identity: string
}

/** Device, inode, blocks of 512 bytes, size, seconds of the last write, path. */
const FORMAT = '%D %i %b %s %T@ %p\\0'
/** A file with another name as well does not free anything. */
const PLAIN_FILES = ['-xdev', '-type', 'f', '-links', '1']
const BYTES_MAX = 1024 * 1024
/** What is smaller is not worth a line that people have to read. */
const LEAST_BLOCKS = (1024 * 1024) / 512
/** A name with other characters could be shown as something that it is not. */
const READABLE = /^\/[\x21-\x7e]{1,400}$/

/** Below those of `places` that are there, on the same filesystem as each; `days`: not written to for longer. */
export async function filesBelow(
  host: Host,
  places: readonly string[],
  days: number,
  signal: AbortSignal,
): Promise<readonly FoundFile[]> {
  const there: string[] = []
  for (const place of places) if (await host.exists(place)) there.push(place)
  if (there.length === 0) return []
  const age = days > 0 ? ['-mtime', `+${days}`] : []
  return find(host, [...there, ...PLAIN_FILES, '-size', `+${LEAST_BLOCKS - 1}`, ...age], signal)
}

/** Undefined when there is no such file any more. */
export async function fileAt(host: Host, path: string, signal: AbortSignal): Promise<FoundFile | undefined> {
  const [file] = await find(host, [path, '-maxdepth', '0', ...PLAIN_FILES], signal)
  return file
}

/** The number of the filesystem that `folder` is on. Throws an Error when that cannot be seen. */
export async function deviceOf(host: Host, folder: string, signal: AbortSignal): Promise<string> {
  if (!READABLE.test(folder) && folder !== '/')
    throw new Error(`${JSON.stringify(folder.slice(0, 80))} is no such folder`)
  const device = (await run(host, [folder, '-maxdepth', '0', '-printf', '%D'], signal)).trim()
  if (!/^\d+$/.test(device)) throw new Error(`${FIND} does not say which filesystem ${folder} is on`)
  return device
}

/** As people read it. */
export function mebibytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`
}

/**
 * The power of two, in MiB, that `bytes` reach: what grows on while a plan waits stays the same plan for a while.
 * 0 below 1 MiB.
 */
export function powerOfMebibytes(bytes: number): number {
  const mib = bytes / (1024 * 1024)
  return mib < 1 ? 0 : 2 ** Math.floor(Math.log2(mib))
}

async function find(host: Host, tests: readonly string[], signal: AbortSignal): Promise<readonly FoundFile[]> {
  const said = await run(host, [...tests, '-printf', FORMAT], signal)
  // What comes after the last end of a line is half of one.
  return said.split('\0').slice(0, -1).flatMap(fileOf)
}

function fileOf(line: string): readonly FoundFile[] {
  const [device = '', inode = '', blocks = '', size = '', written = '', path = '', ...rest] = line.split(' ')
  const isOne = [device, inode, blocks, size].every((text) => /^\d{1,19}$/.test(text)) && READABLE.test(path)
  if (!isOne || rest.length > 0) return []
  const identity = `${size} bytes written at ${written.slice(0, 30)}, inode ${inode}`
  return [{ path, device, bytes: Number(blocks) * 512, identity }]
}

/** Also of one that could not see everything, as a folder that vanished meanwhile. */
async function run(host: Host, args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  try {
    return (await host.run([FIND, ...args], { signal, bytesMax: BYTES_MAX })).stdout
  } catch (error) {
    throw error instanceof NotApplicable ? new Error(`without ${FIND} it cannot be seen what is on a disk`) : error
  }
}
