/** What became of faults and fixes over some days: how soon they were seen and over, what was held back, and who keeps failing. Pure. */
import { tookLast } from '../../remediators/guards/budget.ts'
import type { GuardVerdict, Refusal } from '../../remediators/permits.ts'
import type { EventKind, StoredEvent } from '../event-model.ts'
import type { RemediationReport } from '../outcomes/model.ts'

export const REVIEWED_KINDS: readonly EventKind[] = [
  'suspected',
  'verdict',
  'recovered',
  'finding',
  'remediation',
  'permit',
  'permit-refused',
]

/** Twice is chance. */
const REPEATED_MIN = 3
const REPEATED_SHOWN = 10

/** Of lengths in ms; null when there is none. */
export interface Lengths {
  readonly count: number
  readonly meanMs: number | null
  readonly medianMs: number | null
  readonly worstMs: number | null
}

export interface Repeated {
  readonly name: string
  readonly times: number
  /** Reasons of a node, nodes of a reason; most first. */
  readonly with: readonly { readonly name: string; readonly times: number }[]
}

export interface Review {
  /** RFC 3339, UTC. */
  readonly since: string
  readonly until: string
  /** From the beginning of a fault, by the host's own clock, to when it was on record here. */
  readonly detectFindings: Lengths
  /** From the first suspicion to the verdict. */
  readonly detectVerdicts: Lengths
  /** From when a fault was on record to when it was over, whoever ended it. */
  readonly repairFindings: Lengths
  readonly repairVerdicts: Lengths
  /** From when a fault was on record to when a fix of it was verified. */
  readonly repairFixed: Lengths
  readonly remediation: RemediationReport
  readonly nodes: readonly Repeated[]
  readonly reasons: readonly Repeated[]
  /** Guards that held fixes back, with what they said last. */
  readonly refusals: readonly { readonly guard: string; readonly times: number; readonly lastWhy: string }[]
  /** Budgets that were full: `refused` fixes had to wait, and `last` took the last place of several. */
  readonly budgets: readonly { readonly guard: string; readonly refused: number; readonly last: number }[]
}

/** `events`: of the kinds above, oldest first, from before `since` so far as beginnings are wanted. */
export function reviewOf(
  events: readonly StoredEvent[],
  remediation: RemediationReport,
  since: string,
  until: string,
): Review {
  const inTime = events.filter(({ at }) => at >= since && at < until)
  const byId = new Map(events.map((event) => [event.id, event]))
  const faults = inTime.filter(({ kind, tone }) => kind === 'finding' && tone === 'bad')
  const verdicts = inTime.filter(({ kind, tone }) => kind === 'verdict' && tone === 'bad')
  const rootOf = (event: StoredEvent, isRoot: (one: StoredEvent) => boolean) => {
    const passed = new Set<string>()
    for (let one: StoredEvent | undefined = event; one && !passed.has(one.id); one = byId.get(one.causedBy)) {
      if (isRoot(one)) return one
      passed.add(one.id)
    }
    return undefined
  }
  const lengths = (ended: readonly StoredEvent[], begunAt: (event: StoredEvent) => string | undefined) =>
    lengthsOf(ended.flatMap((event) => between(begunAt(event), event.at)))
  const cleared = inTime.filter(({ kind, id }) => kind === 'finding' && id.endsWith('/cleared'))
  const over = inTime.filter(({ kind }) => kind === 'recovered')
  const fixed = inTime.filter(({ kind, data }) => kind === 'remediation' && data.phase === 'verified')
  const isFault = ({ kind, tone }: StoredEvent) => kind === 'finding' && tone === 'bad'
  const trouble = [
    ...faults.map(({ node, id }) => ({ node, reason: reasonOf(id) })),
    ...verdicts.map(({ node, data }) => ({ node, reason: String(data.verdict ?? 'NodeDown') })),
  ]
  return {
    since,
    until,
    detectFindings: lengths(faults, ({ id }) => id.split('#').at(-1)),
    detectVerdicts: lengths(verdicts, (one) => rootOf(one, ({ kind }) => kind === 'suspected')?.at),
    repairFindings: lengths(cleared, ({ id }) => byId.get(id.slice(0, -'/cleared'.length))?.at),
    repairVerdicts: lengths(over, (one) => rootOf(one, ({ kind }) => kind === 'verdict')?.at),
    repairFixed: lengths(fixed, (one) => rootOf(one, isFault)?.at),
    remediation,
    nodes: repeated(trouble, 'node', 'reason'),
    reasons: repeated(trouble, 'reason', 'node'),
    ...heldBack(inTime),
  }
}

function heldBack(events: readonly StoredEvent[]): Pick<Review, 'refusals' | 'budgets'> {
  const said = events
    .filter(({ kind }) => kind === 'permit-refused')
    .flatMap(({ data }) => (data.refusal as Refusal | undefined)?.guards ?? [])
  const granted = events
    .filter(({ kind }) => kind === 'permit')
    .flatMap(({ data }) => (data.verdicts as readonly GuardVerdict[] | undefined) ?? [])
  const lastOnes = granted.filter(({ guard, why }) => guard.startsWith('budget-') && tookLast(why))
  const refusals = [...Map.groupBy(said, ({ guard }) => guard)]
    .map(([guard, all]) => ({ guard, times: all.length, lastWhy: all.at(-1)?.why ?? '' }))
    .toSorted((a, b) => b.times - a.times || compare(a.guard, b.guard))
  const names = [...refusals.map(({ guard }) => guard), ...lastOnes.map(({ guard }) => guard)]
  const budgets = [...new Set(names)]
    .filter((guard) => guard.startsWith('budget-'))
    .toSorted(compare)
    .map((guard) => ({
      guard,
      refused: refusals.find((one) => one.guard === guard)?.times ?? 0,
      last: lastOnes.filter((one) => one.guard === guard).length,
    }))
  return { refusals, budgets }
}

type Trouble = Readonly<Record<'node' | 'reason', string>>

function repeated(trouble: readonly Trouble[], by: keyof Trouble, other: keyof Trouble): readonly Repeated[] {
  return [...Map.groupBy(trouble, (one) => one[by])]
    .filter(([, all]) => all.length >= REPEATED_MIN)
    .map(([name, all]) => ({ name, times: all.length, with: counted(all.map((one) => one[other])) }))
    .toSorted((a, b) => b.times - a.times || compare(a.name, b.name))
    .slice(0, REPEATED_SHOWN)
}

function counted(names: readonly string[]): Repeated['with'] {
  return [...Map.groupBy(names, (name) => name)]
    .map(([name, all]) => ({ name, times: all.length }))
    .toSorted((a, b) => b.times - a.times || compare(a.name, b.name))
}

/** Of the event of a finding: `finding/node/detector/reason/cause#since`. */
function reasonOf(id: string): string {
  return id.split('/')[3]?.split('#')[0] ?? ''
}

/** Clocks of hosts differ: what would have ended before it began took no time. */
function between(from: string | undefined, to: string): number[] {
  const ms = Date.parse(to) - Date.parse(from ?? '')
  return Number.isNaN(ms) ? [] : [Math.max(0, ms)]
}

function lengthsOf(lengths: readonly number[]): Lengths {
  const sorted = lengths.toSorted((a, b) => a - b)
  const sum = sorted.reduce((total, one) => total + one, 0)
  return {
    count: sorted.length,
    meanMs: sorted.length === 0 ? null : Math.round(sum / sorted.length),
    medianMs: sorted[Math.ceil(sorted.length / 2) - 1] ?? null,
    worstMs: sorted.at(-1) ?? null,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
