/**
 * A fleet of the size that the users' own inspections had, with something of everything: 5 nodes of etcd, 3 of the control plane,
 * 1,806 that compute and 18 of other services. The same each time.
 */
import {
  type CheckRow,
  COLUMNS,
  type Column,
  type InspectionRun,
  type RoleSection,
  type SilentNode,
  type SilentWhy,
  type Trouble,
} from '../../../inspection/model.ts'

const KERNEL = ['kernel-params', 'kernel-version', 'kernel-log', 'syslog-level']
const HOST = [
  ...KERNEL,
  'clock-skew',
  'time-daemon',
  'clocksource',
  'disk-usage',
  'read-only-fs',
  'fstab',
  'conntrack',
  'nic-cpu',
  'peer-latency',
  'peer-loss',
  'memory',
  'load',
  'psi',
  'process-count',
  'pid-max',
  'file-handles',
  'systemd-units',
]
const KUBERNETES = ['kubelet-health', 'kubelet-process', 'kubelet-version', 'runtime-health']
const CONTAINERS = ['cadvisor', 'cadvisor-process', 'oom-kills']

interface Role {
  readonly role: string
  readonly checks: readonly string[]
  readonly nodes: readonly string[]
}

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`)

export const ROLES: readonly Role[] = [
  { role: 'etcd', checks: ['etcd-health', 'etcd-status', 'etcd-connections', ...HOST], nodes: numbered('etcd', 5) },
  {
    role: 'control-plane',
    checks: ['control-plane-services', ...KUBERNETES, ...HOST],
    nodes: numbered('master', 3),
  },
  { role: 'compute', checks: [...KUBERNETES, ...CONTAINERS, ...HOST], nodes: numbered('compute', 1_806) },
  { role: 'other-services', checks: HOST, nodes: numbered('service', 18) },
]

type Kind = readonly [
  role: string,
  check: string,
  column: Trouble['column'],
  reason: string,
  nodes: number,
  /** From which node on, and how many between two of them. */
  from: number,
  step: number,
  summary: (n: number) => string,
]

const now: readonly Kind[] = [
  [
    'etcd',
    'etcd-status',
    'alarm',
    'EtcdQuotaAlarm',
    1,
    2,
    1,
    () => 'the database is 7.7 of 8.0 GiB: 96 % of its quota',
  ],
  ['etcd', 'disk-usage', 'warn', 'DiskFilling', 2, 1, 2, (n) => `/var/lib/etcd is ${80 + n} % full: 8${n} of 100 GiB`],
  ['etcd', 'clock-skew', 'warn', 'ClockOff', 1, 4, 1, () => 'the clock is 61 ms behind the median of 24 peers'],
  [
    'control-plane',
    'control-plane-services',
    'error',
    'ControlPlaneServiceDown',
    1,
    3,
    1,
    () => 'kube-scheduler does not answer at https://127.0.0.1:10259/livez: connection refused',
  ],
  [
    'control-plane',
    'kernel-params',
    'warn',
    'KernelParamWrong',
    2,
    1,
    1,
    () => 'net.core.somaxconn is 128, wanted at least 4096',
  ],
  [
    'compute',
    'kubelet-process',
    'error',
    'KubeletDown',
    2,
    407,
    611,
    () => 'no kubelet runs: kubelet.service is failed since 06:41:07',
  ],
  [
    'compute',
    'disk-usage',
    'error',
    'DiskAlmostFull',
    1,
    1_203,
    1,
    () => '/var/lib/containerd is 97 % full: 1,940 of 2,000 GiB',
  ],
  ['compute', 'disk-usage', 'alarm', 'DiskFilling', 3, 88, 500, (n) => `/var is ${89 + (n % 4)} % full`],
  [
    'compute',
    'conntrack',
    'alarm',
    'ConntrackAlmostFull',
    2,
    301,
    702,
    (n) => `the table holds ${251_300 + n} of 262,144 entries`,
  ],
  [
    'compute',
    'conntrack',
    'warn',
    'ConntrackFilling',
    9,
    15,
    190,
    (n) => `the table holds ${209_000 + n} of 262,144 entries`,
  ],
  ['compute', 'kernel-params', 'warn', 'KernelParamWrong', 41, 7, 40, () => 'vm.max_map_count is 65530, wanted 262144'],
  [
    'compute',
    'clock-skew',
    'warn',
    'ClockOff',
    4,
    33,
    420,
    (n) => `the clock is ${40 + (n % 30)} ms ahead of the median of 24 peers`,
  ],
  [
    'compute',
    'oom-kills',
    'warn',
    'OomKills',
    6,
    121,
    240,
    (n) => `${1 + (n % 3)} processes killed within 10 minutes, the last was java`,
  ],
  ['compute', 'nic-cpu', 'unknown', 'ProbeFailed', 5, 64, 333, () => '/proc/interrupts could not be read: EACCES'],
  ['other-services', 'memory', 'warn', 'MemoryFilling', 1, 11, 1, () => '6 % of the memory is left: 7.7 of 128 GiB'],
]

/** The day before: something was worse, something better. */
const before: readonly Kind[] = now.flatMap((kind): Kind[] => {
  const [role, check, column, reason, nodes, ...rest] = kind
  if (check === 'clock-skew' && role === 'etcd') return []
  const earlier = column === 'alarm' ? nodes + 1 : check === 'kernel-params' && role === 'compute' ? nodes + 12 : nodes
  const count = reason === 'KubeletDown' ? 1 : earlier
  return [[role, check, column, reason, count, ...rest]]
})

const SILENT: readonly (readonly [role: string, node: string, why: SilentWhy])[] = [
  ['compute', 'compute-502', 'NodeDown'],
  ['compute', 'compute-503', 'NodeDown'],
  ['compute', 'compute-977', 'AgentDown'],
  ['compute', 'compute-1500', 'no-answer'],
  ['compute', 'compute-1711', 'unreachable'],
  ['other-services', 'service-9', 'unreachable'],
]

/** Checks that say nothing about these nodes: no such hardware, nothing to look at, not allowed. */
const NOT_APPLICABLE: Readonly<Record<string, number>> = { 'nic-cpu': 40, fstab: 12 }

export const FLEET = 'prod-a'

export function fleetToday(): InspectionRun {
  return runOf('2026-11-21T00:00:00Z', '2026-11-21T00:00:07Z', now, SILENT)
}

export function fleetYesterday(): InspectionRun {
  return runOf('2026-11-20T00:00:00Z', '2026-11-20T00:00:08Z', before, SILENT.slice(0, 3))
}

function runOf(startedAt: string, finishedAt: string, kinds: readonly Kind[], gone: typeof SILENT): InspectionRun {
  const silent = gone.map(([role, node, why]): SilentNode => ({ node, roles: [role], why }))
  const isSilent = new Set(silent.map(({ node }) => node))
  const troubles = kinds.flatMap(([role, check, column, reason, count, from, step, summary]) => {
    const names = ROLES.find((one) => one.role === role)?.nodes ?? []
    const hit = Array.from({ length: count }, (_, index) => from + index * step)
    return hit.flatMap((n): Trouble[] => {
      const node = names[(n - 1) % names.length] ?? ''
      return isSilent.has(node) ? [] : [{ node, roles: [role], check, column, reason, summary: summary(n) }]
    })
  })
  const sections = ROLES.map(({ role, checks, nodes }): RoleSection => {
    const here = nodes.filter((node) => !isSilent.has(node)).length
    const rows = checks.map((check): CheckRow => {
      const of = (column: Column) =>
        troubles.filter((one) => one.check === check && one.roles.includes(role) && one.column === column).length
      const counts = Object.fromEntries(COLUMNS.map((column) => [column, of(column)])) as Record<Column, number>
      const wrong = COLUMNS.reduce((sum, column) => sum + counts[column], 0)
      counts.silent = nodes.length - here
      counts.notApplicable = role === 'compute' ? (NOT_APPLICABLE[check] ?? 0) : 0
      counts.info = here - wrong - counts.notApplicable
      return { check, counts }
    })
    return { role, nodes: nodes.length, checks: rows }
  })
  const nodes = ROLES.reduce((sum, role) => sum + role.nodes.length, 0)
  const id = `daily@${startedAt}`
  return {
    id,
    mesh: FLEET,
    profile: 'default',
    origin: 'fresh',
    startedAt,
    finishedAt,
    nodes,
    sections,
    troubles,
    silent,
  }
}
