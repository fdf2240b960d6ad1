import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Case } from '../../../remediators/testing/conformance.ts'
import { differs, finding, fixture } from '../parts.ts'

const host = fixture('sysctl')
const set =
  (path: string, text: string): Case['disturb'] =>
  (scratch) =>
    writeFile(join(scratch.root, path), text)

export const sysctlCases: readonly Case[] = [
  {
    name: 'a wanted value',
    host,
    finding: differs('vm.swappiness', '60', '10'),
    disturb: set('proc/sys/vm/swappiness', '33\n'),
  },
  {
    name: 'a wanted value that is to be kept over a boot',
    host,
    finding: differs('vm.swappiness', '60', '10'),
    options: { persist: true },
    disturb: (scratch) => appendFile(join(scratch.root, 'etc/sysctl.d/90-starling.conf'), '# by hand\n'),
  },
  {
    name: 'a full table of connections',
    host,
    finding: finding('conntrack', 'ConntrackAlmostFull', '', [
      { name: 'nf_conntrack_count', value: 261_000, limit: 262_144, unit: 'entries' },
    ]),
    disturb: set('proc/sys/net/netfilter/nf_conntrack_max', '300000\n'),
  },
]
