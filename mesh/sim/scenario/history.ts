/** The records of a run, by what they tell about its faults. */
import type { Notice } from '../../core/message.ts'
import type { Certificate, Standing, VerdictKind } from '../../core/model.ts'
import type { Record } from '../world.ts'
import type { Outcome } from './schema.ts'
import type { Episode } from './staging.ts'

type Report = Outcome['reported'][number]['as']

/** A host that must be found, and when that was. */
export interface Detection {
  readonly node: string
  readonly from: number
  /** From the fault to the verdict; undefined: it did not come while the fault lasted. */
  readonly tookMs: number | undefined
}

/** A verdict that comes so long after its host is back was under way already: it is late, not false. */
export const UNDER_WAY_MS = 1_000

export class History {
  readonly commits: readonly { readonly at: number; readonly certificate: Certificate }[]
  readonly notices: readonly { readonly at: number; readonly notice: Notice }[]
  readonly #recoveries: readonly { readonly at: number; readonly verdict: Standing }[]
  /** Also when a verdict became one of a node that lives apart. */
  readonly #ends: readonly { readonly at: number; readonly verdict: Standing }[]

  constructor(records: readonly Record[]) {
    this.commits = records.filter((record) => record.kind === 'commit')
    this.notices = records.filter((record) => record.kind === 'notice')
    this.#recoveries = this.notices.flatMap(({ at, notice }) => {
      return notice.kind === 'recovered' ? [{ at, verdict: notice.verdict }] : []
    })
    this.#ends = this.notices.flatMap(({ at, notice }) => {
      return notice.kind === 'recovered' || notice.kind === 'isolated' ? [{ at, verdict: notice.verdict }] : []
    })
  }

  /** Each time that somebody began to be reported for this. */
  reportsOf(as: Report): readonly { readonly at: number; readonly subject: string }[] {
    const told = this.notices.flatMap(({ at, notice }) => {
      const subject = reportedBy(notice, as)
      return subject === undefined ? [] : [{ at, subject }]
    })
    if (as !== 'isolated') return told
    const marked = this.commits.filter(({ certificate }) => certificate.kind === 'Isolated')
    return [...told, ...marked.map(({ at, certificate: { subject } }) => ({ at, subject }))]
  }

  detection({ node, from, until }: Episode, as: VerdictKind): Detection {
    const commit = this.commits.find(({ at, certificate: { subject, kind } }) => {
      return subject === node && kind === as && at >= from && at <= until + UNDER_WAY_MS
    })
    return { node, from, tookMs: commit === undefined ? undefined : commit.at - from }
  }

  /** Whether the leader said, within so long of the fault, that more than half of the node's observers do not vote. */
  isBlindTo({ node, from }: Episode, withinMs: number): boolean {
    const told = this.notices.flatMap(({ at, notice }) => (notice.kind === 'blind' ? [{ at, notice }] : []))
    const before = told.findLast(({ at }) => at <= from)
    const meanwhile = told.filter(({ at }) => at > from && at <= from + withinMs)
    return [...(before === undefined ? [] : [before]), ...meanwhile].some(({ notice }) =>
      notice.subjects.includes(node),
    )
  }

  recoveryFault({ node, until }: Episode, boundMs: number, endedAt: number): readonly string[] {
    if (until + boundMs > endedAt) return []
    const end = this.#recoveries.find(({ at, verdict }) => verdict.subject === node && at >= until)
    if (end !== undefined && end.at - until <= boundMs) return []
    return [`${node} had not recovered ${seconds(boundMs)} after its fault was over`]
  }

  batchFaults(due: readonly Episode[], as: VerdictKind): readonly string[] {
    return [...new Set(due.map(({ from }) => from))].flatMap((moment) => {
      const nodes = new Set(due.filter(({ from }) => from === moment).map(({ node }) => node))
      const commits = this.commits.filter(({ at, certificate: { subject, kind } }) => {
        return at >= moment && kind === as && nodes.has(subject)
      })
      const first = commits.slice(0, nodes.size).map(({ certificate }) => certificate.rollCall.rollCall.nonce)
      const batches = new Set(first).size
      return batches <= 1 ? [] : [`${nodes.size} that fell silent at once were marked in ${batches} batches`]
    })
  }

  markedAgain(who: ReadonlySet<string>, as: VerdictKind): readonly string[] {
    return [...who].flatMap((node) => {
      const times = this.commits.filter(({ certificate: { subject, kind } }) => subject === node && kind === as).length
      return times <= 1 ? [] : [`${node} was marked ${as} ${times} times`]
    })
  }

  /** Verdicts that stood for longer than they may. */
  notUndone(who: ReadonlySet<string>, as: VerdictKind, boundMs: number, endedAt: number): readonly string[] {
    return this.commits.flatMap(({ at, certificate: { subject, kind, verdictId } }) => {
      if (kind !== as || !who.has(subject) || at + boundMs > endedAt) return []
      const end = this.#ends.find(({ verdict }) => verdict.verdictId === verdictId)
      return end !== undefined && end.at - at <= boundMs ? [] : [`${kind} of ${subject} was not undone in time`]
    })
  }
}

/** Whom a notice reports for this, as it begins. */
function reportedBy(notice: Notice, as: Report): string | undefined {
  if (notice.kind === 'linkFault' && as === 'linkFault' && notice.open) return notice.subject
  if (notice.kind === 'agentDown' && as === 'agentDown') return notice.subject
  return notice.kind === 'isolated' && as === 'isolated' ? notice.verdict.subject : undefined
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}
