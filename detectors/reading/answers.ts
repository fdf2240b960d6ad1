/**
 * Do mounts that a server stands behind answer? While it is silent, statfs(2) on such a mount cannot be interrupted, and a
 * thread of the agent's pool that asked would be lost for as long. So a program asks: it is waited for a while, and left
 * alone when it does not end. Until it has ended no second one is started for the same mount, so one mount costs one process.
 */
import { type CommandResult, type FilesystemUse, type Host, NotApplicable } from '../contract.ts'

export const STAT = '/usr/bin/stat'

/** Size of a block; all blocks, the free, those for everybody; all inodes, the free. */
const FORMAT = '%S %b %f %a %c %d'

/** Filesystems whose files are with somebody else: a server, or a process of this host. */
const REMOTE_TYPES: ReadonlySet<string> = new Set([
  'nfs',
  'nfs4',
  'cifs',
  'smb3',
  'ceph',
  'lustre',
  'gpfs',
  'beegfs',
  'afs',
  '9p',
  'virtiofs',
  'fuse',
  'fuseblk',
])

export function isRemote(type: string): boolean {
  return REMOTE_TYPES.has(type) || type.startsWith('fuse.')
}

/** `hung`: no answer in time. `fails`: with what, as `Stale file handle`. Undefined: it could not be asked. */
export type MountAnswer =
  | { readonly kind: 'fine'; readonly use: FilesystemUse }
  | { readonly kind: 'hung' }
  | { readonly kind: 'fails'; readonly why: string }
  | undefined

/** Programs that have not ended, by mount point. */
const asking = new WeakMap<Host, Map<string, Promise<CommandResult>>>()

/** Asks now, or waits for the answer to the question before. Never longer than `waitMs`; throws when `signal` is aborted. */
export async function askMount(host: Host, point: string, waitMs: number, signal: AbortSignal): Promise<MountAnswer> {
  signal.throwIfAborted()
  const open = asking.get(host) ?? new Map<string, Promise<CommandResult>>()
  asking.set(host, open)
  const answer = open.get(point) ?? ask(host, point)
  open.set(point, answer)
  try {
    const result = await Promise.race([answer, aborted(AbortSignal.any([signal, AbortSignal.timeout(waitMs)]))])
    signal.throwIfAborted()
    if (result === undefined) return { kind: 'hung' }
    open.delete(point)
    return answerOf(result)
  } catch (error) {
    signal.throwIfAborted()
    open.delete(point)
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

/** Without the signal of a look: a program that does not end is what tells the next look that the mount still hangs. */
function ask(host: Host, point: string): Promise<CommandResult> {
  const answer = host.run([STAT, '-f', '-c', FORMAT, point], { signal: new AbortController().signal })
  // Whoever gave up waiting must not be told later.
  answer.catch(() => {})
  return answer
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

function answerOf({ code, stdout, stderr }: CommandResult): MountAnswer {
  if (code === 0) return { kind: 'fine', use: parseUse(stdout) }
  const why = stderr.trim().split(': ').at(-1)
  // A user whom the mount does not let in learns nothing of it; one that is gone since the table was read is not at fault.
  if (why === undefined || why === '' || /^(Permission denied|No such file or directory)$/.test(why)) return undefined
  return { kind: 'fails', why }
}

function parseUse(stdout: string): FilesystemUse {
  if (!/^\d+( \d+){5}$/.test(stdout.trim())) throw new Error(`${STAT} says ${JSON.stringify(stdout.slice(0, 40))}`)
  const [size = 0, blocks = 0, free = 0, available = 0, inodes = 0, inodesFree = 0] = stdout.split(' ').map(Number)
  return {
    bytes: blocks * size,
    bytesUsed: (blocks - free) * size,
    bytesAvailable: available * size,
    inodes,
    inodesFree,
  }
}
