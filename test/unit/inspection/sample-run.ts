/** A small fleet with something of everything, and names that nobody means well with. */
import { deltasOf } from '../../../inspection/deltas.ts'
import type { InspectionRun } from '../../../inspection/model.ts'
import type { InspectionProfile } from '../../../inspection/profile-model.ts'
import { run, said, saidBy } from './fleet.ts'

export const HOSTILE = [
  '<script>alert(1)</script>',
  '=HYPERLINK("http://evil.example","x")',
  '\u001b[31mred\u001b[0m',
  'two\r\nlines: and a header',
  '节点-"九"',
  'half \ud800 a pair',
  '| a | `cell` | [x](javascript:alert(1))',
  '+1@cmd',
  "' onmouseover='x",
  '\u202egnp.exe',
]

const profile = (title: string): InspectionProfile => ({
  name: 'default',
  roles: [
    { role: 'etcd', checks: [{ check: 'etcd-health' }, { check: 'disk-usage' }] },
    {
      role: 'compute',
      withoutRole: true,
      checks: [{ check: 'conntrack' }, { check: 'kernel-version', wanted: '6.12' }, { check: 'clock-skew', title }],
    },
  ],
})

const nodes = (...names: readonly string[]) => [
  { node: 'etcd-1', roles: ['etcd'] },
  ...['node-1', 'node-2', 'node-10', ...names].map((node) => ({ node, roles: ['compute'] })),
]

const FINE = { conntrack: 'ok', 'kernel-version': 'info', 'clock-skew': 'ok' } as const
const SPEAK = [said('etcd-1', { 'etcd-health': 'ok', 'disk-usage': 'not-applicable' }), said('node-1', FINE)]

const earlier = run({
  id: 'run-0',
  finishedAt: '2026-11-20T00:00:01.000Z',
  profile: profile('clock skew'),
  nodes: nodes(),
  said: saidBy([
    ...SPEAK,
    said('node-2', { ...FINE, conntrack: 'warn' }),
    said('node-10', { ...FINE, 'clock-skew': 'alarm' }),
  ]),
})

export const sampleRun: InspectionRun = run({
  profile: profile('clock skew'),
  nodes: nodes(),
  said: saidBy([...SPEAK, said('node-2', { conntrack: 'error', 'kernel-version': 'warn' })]),
  silent: new Map([['node-10', 'AgentDown']]),
})

export const sampleDeltas = deltasOf(earlier, sampleRun)

/** Every name, title, wanted value, reason and summary is hostile. */
export const hostileRun: InspectionRun = run({
  mesh: HOSTILE[0] ?? '',
  profile: {
    name: 'default',
    roles: HOSTILE.map((text, index) => ({
      role: text,
      title: text,
      of: ['compute'],
      checks: [{ check: `conntrack`, title: HOSTILE[(index + 1) % HOSTILE.length] ?? '', wanted: text }],
    })),
  },
  nodes: nodes(...HOSTILE, ...HOSTILE.map((text) => `silent ${text}`)),
  said: new Map(
    HOSTILE.map((text) => [
      text,
      new Map([['conntrack', { column: 'alarm' as const, reason: text, summary: text, more: 0 }]]),
    ]),
  ),
  silent: new Map(HOSTILE.map((text) => [`silent ${text}`, 'unreachable' as const])),
})
