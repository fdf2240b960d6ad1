/**
 * The way from a pod into the namespaces of its host, where a program of the host finds files, mounts and services as they
 * are. By nsenter and not by chroot: within a chroot systemctl does nothing, and what is mounted is not mounted on the host.
 */
import { access, readlink } from 'node:fs/promises'
import { join, normalize } from 'node:path'
import { messageOf } from '../../common/errors.ts'
import { type Command, type CommandResult, NotApplicable } from './port.ts'

/** Of the pod's own image: util-linux. */
const NSENTER = '/usr/bin/nsenter'
/** As /proc/PID/ns and nsenter(1) name them. Not that of processes: with hostPID a pod is in it already. */
const NAMESPACES = { mnt: 'mount', uts: 'uts', ipc: 'ipc', net: 'net' } as const

/**
 * The words that go before a command of the host whose root is mounted at `root`; undefined where that is this process's own.
 * Throws NotApplicable, with what is missing, where there is no way.
 */
export async function intoHost(root: string, program: string): Promise<Command | undefined> {
  if (normalize(root) === '/') return undefined
  const namespaces = join(root, 'proc/1/ns')
  const why = await whyNoWay(namespaces)
  if (why !== undefined) throw new NotApplicable(`${program} of the host cannot be run from a container: ${why}`)
  return [NSENTER, ...Object.entries(NAMESPACES).map(([file, name]) => `--${name}=${join(namespaces, file)}`), '--']
}

/** Throws an Error when the way was barred: the exit code of nsenter must not pass for the program's. */
export function requireEntered(program: string, { code, stderr }: CommandResult): void {
  const said = /^nsenter: .*/.exec(stderr)?.[0]
  if (code !== 0 && said !== undefined)
    throw new Error(`${program} cannot be run in the namespaces of the host: ${said}`)
}

async function whyNoWay(namespaces: string): Promise<string | undefined> {
  try {
    await access(NSENTER)
    // A program would not find itself in the /proc of other processes, and could not be found and killed either.
    const [own, host] = await Promise.all(['/proc/self/ns', namespaces].map((folder) => readlink(join(folder, 'pid'))))
    return own === host ? undefined : 'it does not share the processes of the host (hostPID)'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EPERM' ? 'it is not privileged' : messageOf(error)
  }
}
