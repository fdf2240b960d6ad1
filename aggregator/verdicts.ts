/** Verdicts as the history tells them: each with its votes, its certificate and, when it has ended, its end. */
import type { Answer, Certificate, Incarnation, Roster, Standing, VerdictKind } from '../mesh/core/model.ts'
import { neededOf } from '../mesh/core/quorum.ts'
import { ringOf } from '../mesh/core/ring.ts'
import { encodeValue } from '../mesh/wire/codec.ts'
import { MARK_KINDS, markAfter } from './marks.ts'
import type { MeshStory, VerdictRecord } from './mesh-story.ts'
import type { Journal, StoredEvent, VerdictView, VoteView } from './model.ts'
import { wholeStory } from './whole-story.ts'

/** Ended verdicts that are kept at hand; older ones are in the history. */
const VERDICTS_SHOWN = 100

const KINDS = ['verdict', 'isolated', 'recovered', ...MARK_KINDS] as const

/** What a `verdict` event carries; written by the recorder. */
export interface VerdictData {
  readonly verdictId: string
  readonly verdict: VerdictKind
  readonly incarnation: Incarnation
  readonly votes: readonly VoteView[]
  readonly needed: number
  readonly present: number
  readonly live: number
  readonly certificate: string
}

/** Of a `verdict` event. */
export function verdictDataOf({ data }: StoredEvent): VerdictData {
  return data as unknown as VerdictData
}

export class Verdicts {
  readonly #views = new Map<string, VerdictView>()
  readonly #incarnations = new Map<string, Incarnation>()

  constructor(store: Journal) {
    for (const event of wholeStory(store, KINDS)) this.take(event)
  }

  take(event: StoredEvent): void {
    if (event.kind === 'verdict') {
      const { verdictId: id, verdict: kind, ...rest } = verdictDataOf(event)
      const { votes, needed, present, live, certificate, incarnation } = rest
      // Told a second time when the votes of one that was taken over have come.
      const first = this.#views.get(id) ?? { id, node: event.node, kind, at: event.at }
      this.#views.set(id, { ...first, votes, needed, present, live, certificate })
      this.#incarnations.set(id, incarnation)
    } else if (event.kind === 'isolated') {
      const id = String(event.data.verdictId)
      const view = this.#views.get(id)
      if (view !== undefined) this.#views.set(id, { ...view, kind: 'Isolated' })
    } else if (event.kind === 'recovered') {
      const id = String(event.data.verdictId)
      const view = this.#views.get(id)
      if (view !== undefined) this.#views.set(id, { ...view, endedAt: event.at })
      this.#forgetOld()
    } else if (MARK_KINDS.some((kind) => kind === event.kind)) this.#marked(event)
  }

  #marked(event: StoredEvent): void {
    const id = String(event.data.verdictId)
    const view = this.#views.get(id)
    const mark = markAfter(view?.mark, event)
    if (view !== undefined && mark !== undefined) this.#views.set(id, { ...view, mark })
    if (event.kind !== 'marked') return
    // A Node shows one thing at a time: a finding, or a later verdict, takes the place of what stood before.
    for (const [other, { node, mark: before, ...rest }] of this.#views) {
      if (node !== event.node || other === id || before?.state !== 'marked') continue
      this.#views.set(other, { ...rest, node, mark: { ...before, state: 'undone', undoneAt: event.at } })
    }
  }

  /** Newest first. */
  all(): readonly VerdictView[] {
    return [...this.#views.values()].toReversed()
  }

  /** Undefined for one that is not on record. */
  of(verdictId: string): VerdictView | undefined {
    return this.#views.get(verdictId)
  }

  /** Ended ones beyond those that are shown; one that stands is never forgotten. */
  #forgetOld(): void {
    const ended = [...this.#views.values()].filter(({ endedAt }) => endedAt !== undefined)
    for (const { id } of ended.slice(0, -VERDICTS_SHOWN)) {
      this.#views.delete(id)
      this.#incarnations.delete(id)
    }
  }

  /** Those that have not ended: what a new leader starts with. */
  standing(): readonly Standing[] {
    return this.all()
      .filter((view) => view.endedAt === undefined)
      .map(({ id, node, kind }) => ({
        verdictId: id,
        kind: kind as VerdictKind,
        subject: node,
        incarnation: this.#incarnations.get(id) ?? { serial: 0, boot: 0, refutations: 0 },
      }))
  }
}

/** Verdicts on record that do not stand (`standing`, by subject) ended while another aggregator led: that goes on record, too. */
export function endedElsewhere(
  verdicts: Pick<Verdicts, 'standing'>,
  story: Pick<MeshStory, 'notice'>,
  standing: ReadonlyMap<string, Standing>,
): void {
  for (const verdict of verdicts.standing()) {
    if (standing.get(verdict.subject)?.verdictId === verdict.verdictId) continue
    story.notice({ kind: 'recovered', verdict, why: 'it ended while another aggregator led' })
  }
}

/** A certificate as it goes on record, with what people read in it. */
export function recordOf(certificate: Certificate, roster: Roster): VerdictRecord {
  const { subject, excused, answers } = certificate
  const assigned = ringOf(roster).observersOf(subject).length
  return {
    certificate,
    encoded: Buffer.from(encodeValue(certificate)).toString('base64'),
    votes: answers.map(({ answer }) => voteOf(answer, roster)),
    needed: neededOf(assigned, assigned - excused.length),
  }
}

function voteOf({ voter, opinion, channel, forMs }: Answer, roster: Roster): VoteView {
  const zone = roster.members.find(({ node }) => node === voter)?.zone ?? ''
  const said = opinion === 'Alive' ? 'alive' : opinion === 'Abstain' ? 'abstain' : 'silent'
  return { voter, zone, opinion: said, kind: opinion, channel, forMs }
}
