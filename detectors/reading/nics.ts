/** The network interfaces of a host, and how their queues are set up. */
import { type Host, NotApplicable } from '../contract.ts'
import { failureCode } from './failure.ts'
import type { InterruptLine } from './interrupts.ts'

export const NET = '/sys/class/net'
export const ETHTOOL = '/usr/sbin/ethtool'

/** Those with a device behind them: not loopback, bridges, veth, tunnels. */
export async function physicalNics(host: Host): Promise<readonly string[]> {
  const names = (await host.list(NET)).filter(isNicName)
  const physical: string[] = []
  for (const name of names.sort()) if (await host.exists(`${NET}/${name}/device`)) physical.push(name)
  return physical
}

/** What the kernel takes for a name (dev_valid_name), so that nothing else becomes part of a path. */
export function isNicName(name: string): boolean {
  return /^[^/\s:\0]{1,15}$/.test(name) && name !== '.' && name !== '..'
}

/** Undefined for what this interface, this kernel, or one with a single queue does not have. */
export async function settingOf(host: Host, path: string): Promise<string | undefined> {
  try {
    return (await host.readText(path)).trim()
  } catch (error) {
    const code = failureCode(error)
    if (error instanceof NotApplicable || code === 'ENOENT' || code === 'EOPNOTSUPP') return undefined
    throw error
  }
}

/** `rx-0`, `tx-0` and so on, in no order. */
export async function queuesOf(host: Host, nic: string): Promise<readonly string[]> {
  return (await host.list(`${NET}/${nic}/queues`)).filter((name) => /^[rt]x-\d+$/.test(name))
}

/** How often its interrupts came, by CPU. Undefined when none are known to be its. */
export async function interruptsOf(
  host: Host,
  nic: string,
  lines: readonly InterruptLine[],
): Promise<readonly number[] | undefined> {
  const numbers = (await orNothing(host.list(`${NET}/${nic}/device/msi_irqs`))) ?? []
  const device = (await orNothing(host.readLink(`${NET}/${nic}/device`)))?.split('/').at(-1) ?? ''
  // Drivers name theirs after the interface, virtio after its device: eth0-TxRx-3, virtio2-input.0.
  const named = (about: string) =>
    about.split(/[\s,@]+/).some((word) => isNamed(word, nic) || (device.startsWith('virtio') && isNamed(word, device)))
  const own = lines.filter(({ irq, about }) => numbers.includes(irq) || named(about))
  return own[0]?.counts.map((_, cpu) => own.reduce((sum, { counts }) => sum + (counts[cpu] ?? 0), 0))
}

/** `eth0-TxRx-3` and `i40e-eth0-TxRx-3` are of eth0, `eth01-rx` is not. */
function isNamed(word: string, name: string): boolean {
  return `-${word}-`.includes(`-${name}-`)
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}

/** The letters of ethtool(8) for what `rx-flow-hash` says that a card spreads packets by. */
const HASHED: readonly (readonly [letter: string, said: RegExp])[] = [
  ['s', /^IP SA$/m],
  ['d', /^IP DA$/m],
  ['f', /^L4 bytes 0 & 1/m],
  ['n', /^L4 bytes 2 & 3/m],
  ['v', /^VLAN tag$/m],
]

/** As `sdfn`; undefined where ethtool is not installed, or the card does not say. */
export async function flowHashOf(
  host: Host,
  nic: string,
  flow: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await orNothing(host.run([ETHTOOL, '-n', nic, 'rx-flow-hash', flow], { signal }))
  if (result === undefined || result.code !== 0) return undefined
  const { stdout } = result
  if (!/flows use these fields/.test(stdout) || /^None$/m.test(stdout)) return undefined
  return HASHED.filter(([, said]) => said.test(stdout))
    .map(([letter]) => letter)
    .join('')
}
