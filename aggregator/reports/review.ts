/** What became of faults and fixes over some days: how soon they were seen and over, what was held back, and who keeps failing. Pure. */
import { tookLast } from '../../remediators/guards/budget.ts'
import type { GuardVerdict, Refusal } from '../../remediators/permits.ts'
import type { Event, EventKind } from '../event-model.ts'
import type { RemediationReport } from '../outcomes/model.ts'

/** Of which a review is made; what led to them is looked up. */
export const REVIEWED_KINDS: readonly EventKind[] = [
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
/** From a verdict to the first suspicion, and from a fix to its fault, there are a few. */
const STEPS_MAX = 50

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

/** Takes events one by one, in any order: a week of a large mesh is more than is held in memory at once. */
export class ReviewTally {
  readonly #since: string
  readonly #until: string
  readonly #byId: (id: string) => Event | null
  readonly #lengths = {
    detectFindings: [] as number[],
    detectVerdicts: [] as number[],
    repairFindings: [] as number[],
    repairVerdicts: [] as number[],
    repairFixed: [] as number[],
  }
  readonly #trouble: Trouble[] = []
  readonly #refusals = new Map<string, { times: number; lastAt: string; lastWhy: string }>()
  readonly #lastPlaces = new Map<string, number>()

  /** `byId`: what led to an event, so far as it is known. */
  constructor(since: string, until: string, byId: (id: string) => Event | null) {
    this.#since = since
    this.#until = until
    this.#byId = byId
  }

  add(event: Event): void {
    if (event.at < this.#since || event.at >= this.#until) return
    const { kind, id, node, at, tone, data } = event
    const { detectFindings, detectVerdicts, repairFindings, repairVerdicts, repairFixed } = this.#lengths
    if (isFault(event)) {
      detectFindings.push(...between(id.split('#').at(-1), at))
      this.#trouble.push({ node, reason: reasonOf(id) })
    } else if (kind === 'finding' && id.endsWith('/cleared')) {
      repairFindings.push(...between(this.#byId(id.slice(0, -'/cleared'.length))?.at, at))
    } else if (kind === 'verdict' && tone === 'bad') {
      detectVerdicts.push(...between(this.#rootOf(event, (one) => one.kind === 'suspected')?.at, at))
      this.#trouble.push({ node, reason: String(data.verdict ?? 'NodeDown') })
    } else if (kind === 'recovered') {
      repairVerdicts.push(...between(this.#rootOf(event, (one) => one.kind === 'verdict')?.at, at))
    } else if (kind === 'remediation' && data.phase === 'verified') {
      repairFixed.push(...between(this.#rootOf(event, isFault)?.at, at))
    } else if (kind === 'permit-refused') {
      for (const verdict of (data.refusal as Refusal | undefined)?.guards ?? []) this.#refused(verdict, at)
    } else if (kind === 'permit') {
      for (const { guard, why } of (data.verdicts as readonly GuardVerdict[] | undefined) ?? [])
        if (guard.startsWith('budget-') && tookLast(why))
          this.#lastPlaces.set(guard, (this.#lastPlaces.get(guard) ?? 0) + 1)
    }
  }

  review(remediation: RemediationReport): Review {
    const lengths = this.#lengths
    return {
      since: this.#since,
      until: this.#until,
      detectFindings: lengthsOf(lengths.detectFindings),
      detectVerdicts: lengthsOf(lengths.detectVerdicts),
      repairFindings: lengthsOf(lengths.repairFindings),
      repairVerdicts: lengthsOf(lengths.repairVerdicts),
      repairFixed: lengthsOf(lengths.repairFixed),
      remediation,
      nodes: repeated(this.#trouble, 'node', 'reason'),
      reasons: repeated(this.#trouble, 'reason', 'node'),
      refusals: [...this.#refusals]
        .map(([guard, { times, lastWhy }]) => ({ guard, times, lastWhy }))
        .toSorted((a, b) => b.times - a.times || compare(a.guard, b.guard)),
      budgets: [...new Set([...this.#refusals.keys(), ...this.#lastPlaces.keys()])]
        .filter((guard) => guard.startsWith('budget-'))
        .toSorted(compare)
        .map((guard) => ({
          guard,
          refused: this.#refusals.get(guard)?.times ?? 0,
          last: this.#lastPlaces.get(guard) ?? 0,
        })),
    }
  }

  #refused({ guard, why }: GuardVerdict, at: string): void {
    const before = this.#refusals.get(guard)
    const isLater = before === undefined || at >= before.lastAt
    const last = isLater ? { lastAt: at, lastWhy: why } : before
    this.#refusals.set(guard, { ...last, times: (before?.times ?? 0) + 1 })
  }

  #rootOf(event: Event, isRoot: (one: Event) => boolean): Event | undefined {
    let one: Event | null = event
    for (let steps = 0; one !== null && steps < STEPS_MAX; steps++) {
      if (isRoot(one)) return one
      one = one.causedBy === '' ? null : this.#byId(one.causedBy)
    }
    return undefined
  }
}

function isFault({ kind, tone }: Event): boolean {
  return kind === 'finding' && tone === 'bad'
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
