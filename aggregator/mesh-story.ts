/** What the mesh concludes, as history: each thing that the leader tells in one line, with what it rests on. */
import { counted } from '../common/counted.ts'
import type { Notice } from '../mesh/core/message.ts'
import type { Certificate, Standing } from '../mesh/core/model.ts'
import { formatIncarnation } from '../mesh/core/model.ts'
import type { Chronicle } from './chronicle.ts'
import { Incidents } from './incidents.ts'
import { type Event, type EventKind, type StoredEvent, type VoteView, verdictEventId } from './model.ts'

export interface VerdictRecord {
  readonly certificate: Certificate
  readonly encoded: string
  readonly votes: readonly VoteView[]
  readonly needed: number
}

/** Names spelled out in a summary; all of them are in the event's data. */
const NAMES_SHOWN = 10

export class MeshStory {
  readonly #chronicle: Chronicle
  readonly #incidents: Incidents
  /** Subjects of the last `blind` event: its growth is news, its ups and downs are not. */
  #blindTold = 0

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
    this.#incidents = new Incidents(chronicle)
    const blind = chronicle.store.byId(this.#incidents.open('blind') ?? '')
    if (blind !== null) this.#blindTold = (blind.data.subjects as readonly string[]).length
  }

  joined(node: string, incarnation: string): void {
    const id = `joined/${node}/${incarnation}`
    const isNew = this.#chronicle.store.byId(id) === null
    this.#chronicle.record(id, 'joined', node, 'good', `agent heard, incarnation ${incarnation}`, '')
    if (!isNew) return
    // A new life, heard first by a new aggregator: what its agent was held for until then has ended unseen.
    if (this.#adopts(node, AGENT_DOWN)) this.#next(node, 'agent-up', 'good', 'its agent was started again')
    else if (this.#adopts(node, LEFT)) this.#next(node, 'returned', 'good', 'it is back')
  }

  notice(notice: Notice): void {
    switch (notice.kind) {
      case 'suspected':
        this.#heads(notice.subject, SUSPICION, `silent to ${listed(notice.voters)}`, { voters: notice.voters })
        return
      case 'unsuspected':
        this.#next(notice.subject, 'unsuspected', 'good', 'no observer misses it any more')
        return
      case 'candidate':
        this.#next(
          notice.subject,
          'candidate',
          'bad',
          `${counted(notice.votes, 'observer holds', 'observers hold')} it for ${notice.verdict}`,
        )
        return
      case 'rollCall':
        for (const node of notice.subjects) {
          const summary = `the mesh is asked afresh: ${notice.live} live members`
          this.#chronicle.follow(
            livenessThread(node),
            `roll-call/${notice.nonce}/${node}`,
            'roll-call',
            node,
            'info',
            summary,
          )
        }
        return
      case 'withheld':
        this.#next(notice.subject, 'withheld', 'info', `no verdict of ${notice.verdict}: ${notice.why}`)
        return
      case 'recovered':
        this.#ofVerdict(notice.verdict, 'recovered', 'good', `${notice.verdict.kind} ended: ${notice.why}`)
        return
      case 'announced': {
        const life = formatIncarnation(notice.incarnation)
        this.#ofVerdict(
          notice.verdict,
          'announced',
          'info',
          `it says that it lives, incarnation ${life}: observers look`,
        )
        return
      }
      case 'heardAgain':
        // It only makes the others look sooner; that it recovered is what people want to know.
        return
      case 'isolated': {
        const summary = 'its kubelet renewed its Lease since it fell silent: it lives, apart from its peers'
        this.#ofVerdict(notice.verdict, 'isolated', 'bad', summary)
        return
      }
      case 'agentDown':
        this.#heads(notice.subject, AGENT_DOWN, 'its host answers, its agent does not', { voters: notice.voters })
        return
      case 'agentUp':
        this.#next(notice.subject, 'agent-up', 'good', 'its agent answers again')
        return
      case 'left':
        this.#heads(notice.subject, LEFT, `it stops on purpose: ${notice.why}`, {}, 'info')
        this.#chronicle.goOnFrom(leave(notice.subject), this.#chronicle.last(livenessThread(notice.subject)))
        return
      case 'returned':
        this.#chronicle.goOnFrom(livenessThread(notice.subject), this.#chronicle.last(leave(notice.subject)))
        this.#next(notice.subject, 'returned', 'info', notice.why)
        return
      default:
        this.#incident(notice)
    }
  }

  /** Durable when it returns: the commit record of the verdict. */
  verdict({ certificate, encoded, votes, needed }: VerdictRecord): void {
    const { subject, kind, verdictId, present, live, incarnation } = certificate
    const against = votes.filter(({ opinion }) => opinion === 'silent').length
    const summary = `${kind}: ${against} of ${votes.length} observers agree (${needed} needed), incarnation ${formatIncarnation(incarnation)}`
    const data = { verdictId, verdict: kind, incarnation, votes, needed, present, live, certificate: encoded }
    const id = verdictEventId(verdictId)
    this.#chronicle.follow(livenessThread(subject), id, 'verdict', subject, 'bad', summary, data)
    this.#chronicle.requireStored(id, 'verdict')
  }

  /** It stands since another aggregator led. Told with its votes, or without, or once more when they have come. */
  inherited({ verdictId, kind, subject, incarnation }: Standing, record: VerdictRecord | undefined): void {
    const { certificate, encoded = '', votes = [], needed = 0 } = record ?? {}
    const { present = 0, live = 0, rollCall } = certificate ?? {}
    const against = votes.filter(({ opinion }) => opinion === 'silent').length
    const who = `${against} of ${votes.length} observers agreed (${needed} needed), counted by ${rollCall?.rollCall.leader}`
    const summary = `${kind} stands since another aggregator led: ${record === undefined ? 'by which votes is not known here' : who}`
    const data = { verdictId, verdict: kind, incarnation, votes, needed, present, live, certificate: encoded }
    const id = verdictEventId(verdictId)
    if (this.#chronicle.store.byId(id) === null) {
      this.#chronicle.follow(livenessThread(subject), id, 'verdict', subject, 'bad', summary, data)
    } else this.#chronicle.record(`${id}/votes`, 'verdict', subject, 'info', summary, id, data)
  }

  /** Durable when it returns: an operator is about to end the freeze. */
  released(id: string, by: string, via: string, reason: string): Event {
    const summary = `freeze ended by ${by} (${via}): ${reason}`
    const cause = this.#incidents.open('frozen') ?? ''
    const event = this.#chronicle.record(id, 'decision', '', 'act', summary, cause, { by, via, reason })
    this.#chronicle.requireStored(id, 'decision')
    this.#incidents.decided('frozen', '', id)
    return event
  }

  /** Events have one copy alone, or have two again; told once of each. */
  singleCopy(isSingle: boolean, behind: number, others: readonly string[]): void {
    const isOpen = this.#incidents.open('single-copy') !== undefined
    const names = listed(others)
    if (isSingle && !isOpen) {
      const summary = `${counted(behind, 'event has', 'events have')} no second copy: ${names} did not take them in a second`
      this.#incidents.begin('single-copy', '', summary, { behind, others })
    } else if (!isSingle && isOpen) {
      const summary =
        others.length === 0 ? 'no other aggregator is in the roster' : 'every event has a second copy again'
      this.#incidents.end('single-copy', '', summary, { others })
    }
  }

  /** Another aggregator recorded it while this one stands by: it is gone on with from there. */
  copied(event: StoredEvent): void {
    this.#incidents.copied(event)
    if (LIVENESS.some((kind) => kind === event.kind)) this.#chronicle.goOnFrom(livenessThread(event.node), '')
  }

  /** Ends what was open when this aggregator started and did not show again since. */
  endUnseen(): void {
    this.#incidents.endUnseen()
  }

  #incident(notice: Extract<Notice, { kind: 'brake' | 'linkFault' | 'observerFault' | 'blind' | 'quorum' }>): void {
    const incidents = this.#incidents
    switch (notice.kind) {
      case 'brake': {
        const { change } = notice
        if (change.kind === 'thawed') incidents.end('frozen', '', `marking goes on: ${change.why}`)
        else incidents.begin('frozen', '', `nobody is marked: ${change.why}`, { nodes: change.nodes })
        return
      }
      case 'linkFault': {
        const { subject, open, alive, silent } = notice
        // A suspicion or a verdict that ended is what made the leader look.
        const cause = this.#chronicle.last(livenessThread(subject))
        if (open) incidents.begin('link-fault', subject, contradiction(alive, silent), { alive, silent }, cause)
        else incidents.end('link-fault', subject, 'its observers have agreed for 5 minutes')
        return
      }
      case 'observerFault':
        if (!notice.open) incidents.end('observer-fault', notice.subject, notice.why)
        else incidents.begin('observer-fault', notice.subject, `its votes do not count: ${notice.why}`, {})
        return
      case 'blind':
        this.#blind(notice)
        return
      case 'quorum': {
        const { reached, present, live } = notice
        const share = `${present} of ${live} live members answer`
        if (reached) incidents.end('no-quorum', '', `the mesh is reached again: ${share}`, { present, live })
        else incidents.begin('no-quorum', '', `NoQuorumLeader: only ${share}, so nobody is marked`, { present, live })
        return
      }
    }
  }

  #blind({ open, subjects, why }: Extract<Notice, { kind: 'blind' }>): void {
    const hasGrown = subjects.length > this.#blindTold
    const whose = subjects.length === 0 ? '' : `; nobody could be convicted of ${listed(subjects)}`
    const summary = `Blind: ${why}${whose}`
    if (!open) this.#incidents.end('blind', '', 'enough observers vote again')
    else if (hasGrown && this.#incidents.open('blind') !== undefined) {
      this.#incidents.change('blind', '', summary, { subjects })
    } else this.#incidents.begin('blind', '', summary, { subjects })
    this.#blindTold = open ? Math.max(this.#blindTold, subjects.length) : 0
  }

  /** The first link of a new chain about whether a node lives, unless that very condition is on record already. */
  #heads(node: string, kinds: Condition, summary: string, data: object, tone: Event['tone'] = 'bad'): void {
    if (this.#adopts(node, kinds)) return
    this.#chronicle.goOnFrom(livenessThread(node), '')
    this.#next(node, kinds[0], tone, summary, data)
  }

  #next(node: string, kind: EventKind, tone: Event['tone'], summary: string, data: object = {}): void {
    this.#chronicle.follow(livenessThread(node), this.#chronicle.nextId(kind, node), kind, node, tone, summary, data)
  }

  /** The verdict may be of an earlier life of the aggregator: its id, not the thread, says what led here. */
  #ofVerdict({ subject, verdictId }: Standing, kind: EventKind, tone: Event['tone'], summary: string): void {
    this.#chronicle.goOnFrom(livenessThread(subject), verdictEventId(verdictId))
    this.#next(subject, kind, tone, summary, { verdictId })
  }

  /**
   * Whether an aggregator that has just started finds this node's condition on record already: then that is gone on with
   * and not told a second time. `open`: the kinds of event that such a condition can have ended at.
   */
  #adopts(node: string, open: Condition): boolean {
    if (this.#chronicle.last(livenessThread(node)) !== '') return false
    const last = this.#chronicle.store.query({ node, kinds: LIVENESS, limit: 1 })[0]
    if (last === undefined || !open.includes(last.kind)) return false
    this.#chronicle.goOnFrom(livenessThread(node), last.id)
    return true
  }
}

/** What can be the last that is known of whether a node lives; each condition begins with the first of its kinds. */
type Condition = readonly [EventKind, ...EventKind[]]
const SUSPICION = ['suspected', 'candidate', 'roll-call', 'withheld'] as const
const AGENT_DOWN = ['agent-down'] as const
const LEFT = ['left'] as const
const VERDICT = ['verdict', 'announced', 'isolated'] as const
const ENDED = ['unsuspected', 'recovered', 'agent-up', 'returned'] as const
const LIVENESS = [...SUSPICION, ...AGENT_DOWN, ...LEFT, ...VERDICT, ...ENDED] as const

function contradiction(alive: readonly string[], silent: readonly string[]): string {
  if (silent.length === 0) return 'it was held for dead twice and came back in the same life: its links come and go'
  return `seen by ${listed(alive)}; silent to ${listed(silent)}`
}

function listed(nodes: readonly string[]): string {
  const more = nodes.length - NAMES_SHOWN
  return more > 0 ? `${nodes.slice(0, NAMES_SHOWN).join(', ')} and ${more} more` : nodes.join(', ')
}

/** The thread of a node's liveness. */
export function livenessThread(node: string): string {
  return `live/${node}`
}

/** Its last leave, whatever else was told of it since. */
function leave(node: string): string {
  return `leave/${node}`
}
