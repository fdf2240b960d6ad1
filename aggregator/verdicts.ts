/** Verdicts as the history tells them: each with its votes, its certificate and, when it has ended, its end. */
import type { Answer, Certificate, Incarnation, Roster, Standing, VerdictKind } from '../mesh/core/model.ts'
import type { Store, StoredEvent, VerdictView, VoteView } from './model.ts'

/** Verdicts that are shown and kept at hand; older ones are in the history. */
const VERDICTS_SHOWN = 100

/** What a `verdict` event carries; written by the recorder. */
interface VerdictData {
  readonly verdictId: string
  readonly verdict: VerdictKind
  readonly incarnation: Incarnation
  readonly votes: readonly VoteView[]
  readonly needed: number
  readonly present: number
  readonly live: number
  readonly certificate: string
}

export class Verdicts {
  readonly #views = new Map<string, VerdictView>()
  readonly #incarnations = new Map<string, Incarnation>()

  constructor(store: Store) {
    const kinds = ['verdict', 'recovered'] as const
    for (const event of store.query({ kinds, limit: VERDICTS_SHOWN * 2 })) this.take(event)
  }

  take(event: StoredEvent): void {
    if (event.kind === 'verdict') {
      const data = event.data as unknown as VerdictData
      const { verdictId: id, verdict: kind, votes, needed, present, live, certificate, incarnation } = data
      this.#views.set(id, { id, node: event.node, kind, at: event.at, votes, needed, present, live, certificate })
      this.#incarnations.set(id, incarnation)
    } else if (event.kind === 'recovered') {
      const id = String(event.data.verdictId)
      const view = this.#views.get(id)
      if (view !== undefined) this.#views.set(id, { ...view, endedAt: event.at })
    }
  }

  /** Newest first. */
  all(): readonly VerdictView[] {
    return [...this.#views.values()].toReversed().slice(0, VERDICTS_SHOWN)
  }

  of(verdictId: string): VerdictView | undefined {
    return this.#views.get(verdictId)
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

/** The answers behind a certificate, as people read them. */
export function votesOf({ answers }: Certificate, roster: Roster): readonly VoteView[] {
  return answers.map(({ answer }) => voteOf(answer, roster))
}

function voteOf({ voter, opinion, channel, forMs }: Answer, roster: Roster): VoteView {
  const zone = roster.members.find(({ node }) => node === voter)?.zone ?? ''
  const said = opinion === 'Alive' ? 'alive' : opinion === 'Abstain' ? 'abstain' : 'silent'
  return { voter, zone, opinion: said, kind: opinion, channel, forMs }
}
