/** What this agent may do on its host, for detectors that need more than anyone may. */
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CRI_SOCKETS, type Need } from './port.ts'

/** Bits of CapEff in proc(5), from linux/capability.h. */
const CAPABILITIES: Partial<Record<Need, bigint>> = {
  CAP_DAC_READ_SEARCH: 1n << 2n,
  CAP_NET_ADMIN: 1n << 12n,
  CAP_SYS_PTRACE: 1n << 19n,
  CAP_SYSLOG: 1n << 34n,
}

/** Of these at least one must be open to us, where there is one. */
const DEVICES: Partial<Record<Need, { readonly paths: readonly string[]; readonly mode: number }>> = {
  kmsg: { paths: ['/dev/kmsg'], mode: constants.R_OK },
  cri: { paths: Object.values(CRI_SOCKETS), mode: constants.R_OK | constants.W_OK },
  dbus: { paths: ['/run/dbus/system_bus_socket'], mode: constants.R_OK | constants.W_OK },
}

/** Those of `needs` that are withheld. `root` is where the host's root is mounted. */
export async function missingPrivileges(root: string, needs: readonly Need[]): Promise<readonly Need[]> {
  const withheld = await Promise.all(needs.map(async (need) => !(await isGiven(root, need))))
  return needs.filter((_, index) => withheld[index])
}

async function isGiven(root: string, need: Need): Promise<boolean> {
  const bit = CAPABILITIES[need]
  if (bit !== undefined) return ((await effectiveCapabilities()) & bit) !== 0n
  const device = DEVICES[need]
  if (device === undefined) return false
  const answers = await Promise.all(device.paths.map((path) => accessTo(join(root, path), device.mode)))
  return answers.includes('open') || answers.every((answer) => answer === 'absent')
}

async function accessTo(path: string, mode: number): Promise<'open' | 'shut' | 'absent'> {
  try {
    await access(path, mode)
    return 'open'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'shut'
  }
}

/** Of this process; none where there is no /proc, as on a developer's machine that runs no Linux. */
async function effectiveCapabilities(): Promise<bigint> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  return BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
}
