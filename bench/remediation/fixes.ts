/** What can ail a simulated host, and the remediators that take it on: of every reach, and with every property that matters. */
import { z } from 'zod'
import type { Finding } from '../../detectors/contract.ts'
import { type Change, defineRemediator, type Reach, type Remediator, type Risk } from '../../remediators/contract.ts'

export interface Ailment {
  readonly detector: string
  readonly reason: string
  readonly causes: readonly string[]
  /** Names of the remediators that handle it, the mildest first. */
  readonly mended: readonly string[]
}

/** The detector of members of etcd, by whose word the guards go. */
export const ETCD = 'etcd-health'

export const AILMENTS: readonly Ailment[] = [
  {
    detector: 'kernel-params',
    reason: 'KernelParamDiffers',
    causes: ['vm.swappiness', 'net.core.somaxconn', 'fs.file-max'],
    mended: ['set-value', 'reload'],
  },
  { detector: 'conntrack', reason: 'ConntrackAlmostFull', causes: [''], mended: ['set-value', 'restart'] },
  { detector: 'disk-usage', reason: 'DiskAlmostFull', causes: ['/', '/var'], mended: ['empty', 'drain'] },
  { detector: 'services', reason: 'ServiceFailed', causes: ['ntp', 'runtime', 'proxy'], mended: ['restart', 'reload'] },
  { detector: 'kubelet', reason: 'KubeletDown', causes: [''], mended: ['restart', 'drain', 'reboot'] },
  { detector: ETCD, reason: 'EtcdUnwell', causes: [''], mended: [] },
]

interface Kind {
  readonly reach: Reach
  readonly risk?: Risk
  readonly reversible?: boolean
  /** It looks at the host before it plans. */
  readonly looks?: boolean
}

const KINDS: Readonly<Record<string, Kind>> = {
  'set-value': { reach: 'none' },
  reload: { reach: 'host', looks: true },
  restart: { reach: 'process' },
  empty: { reach: 'host', reversible: false },
  drain: { reach: 'workloads', risk: 'medium' },
  reboot: { reach: 'machine', risk: 'dangerous' },
}

/** What the value of an ailment is called in a plan. */
export function quantityOf({ reason, cause }: Pick<Finding, 'reason' | 'cause'>): string {
  return `${reason}/${cause}`
}

export const REMEDIATORS: readonly Remediator[] = Object.entries(KINDS).map(([name, kind]) => {
  const { reach, risk = 'low', reversible = true, looks = false } = kind
  const handles = AILMENTS.filter(({ mended }) => mended.includes(name)).map(({ reason }) => reason)
  return defineRemediator<unknown, unknown>({
    name,
    summary: `simulated, of reach ${reach}`,
    ...{ handles, reach, risk, reversible },
    touches: {},
    options: z.unknown(),
    ...(looks ? { inspect: async () => null } : {}),
    plan: (finding) => changes(name, finding),
    apply: async () => {},
    revert: async () => {},
  })
})

function changes(name: string, finding: Finding): readonly Change[] {
  const before = String(finding.evidence[0]?.value ?? '')
  return [{ what: quantityOf(finding), before, after: `by ${name}`, undo: `put ${before} back` }]
}
