import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import type { StandIn } from '../../../remediators/testing/scratch-host.ts'
import { finding, fixture } from '../parts.ts'

const host = fixture('nic-tune')

export const ON_ONE_CPU = finding('nic-cpu', 'NicOnOneCpu', 'eth0', [
  { name: 'interrupts on one CPU', value: 99, limit: 90, unit: '%' },
])
export const queuesDiffer = (...settings: readonly (readonly [name: string, value: string, wanted: string])[]) =>
  finding(
    'nic-cpu',
    'NicQueueDiffers',
    'eth0',
    settings.map(([name, value, limit]) => ({ name, value, limit, unit: '' })),
  )

/** What the card hashes by stands in a file of the host, so that it belongs to what is put back. */
const ethtool: StandIn = async ([option, , , flow = '', letters = ''], root) => {
  const file = join(root, 'run/ethtool', flow)
  if (option === '-N') {
    if (letters.includes('v')) return { code: 1, stderr: 'Cannot change RX network flow hashing options\n' }
    await writeFile(file, letters)
    return {}
  }
  const said = {
    s: 'IP SA',
    d: 'IP DA',
    f: 'L4 bytes 0 & 1 [TCP/UDP src port]',
    n: 'L4 bytes 2 & 3 [TCP/UDP dst port]',
  }
  const fields = [...(await readFile(file, 'utf8'))].map((letter) => said[letter as keyof typeof said])
  return { stdout: `UDP over IPV4 flows use these fields for computing Hash flow key:\n${fields.join('\n')}\n\n` }
}
export const PROGRAMS = { '/usr/sbin/ethtool': ethtool }

const set =
  (path: string, text: string): Case['disturb'] =>
  ({ root }) =>
    writeFile(join(root, path), text)

export const nicTuneCases: readonly Case[] = [
  {
    name: 'all packets on one CPU',
    host,
    finding: ON_ONE_CPU,
    disturb: set('sys/class/net/eth0/queues/rx-1/rps_cpus', '00,00000002\n'),
  },
  {
    name: 'queues that are not as wanted',
    host,
    finding: queuesDiffer(
      ['tx_queue_len', '1000', '5000'],
      ['rx-0/rps_cpus', '0', 'ff'],
      ['rx-0/rps_flow_cnt', '0', '4096'],
      ['tx-0/xps_cpus', '1', '3'],
    ),
    disturb: set('sys/class/net/eth0/tx_queue_len', '2000\n'),
  },
  {
    name: 'a card that leaves the ports out',
    host,
    finding: queuesDiffer(['flow_hash udp4', 'ds', 'dfns']),
    programs: PROGRAMS,
    disturb: set('run/ethtool/udp4', 's'),
  },
]
