/**
 * The aggregator's inner life: takes in what the mesh tells, keeps history and present, and answers the HTTP side. It does
 * no I/O of its own but through the store and the mesh it is given.
 */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Leader } from '../mesh/core/leader.ts'
import type { Notice } from '../mesh/core/message.ts'
import type { Certificate, Roster, SignedStatement } from '../mesh/core/model.ts'
import { encodeValue } from '../mesh/wire/codec.ts'
import type { Permit } from '../remediators/contract.ts'
import { encodeNote, permitTopic } from '../remediators/notes.ts'
import { EventBudget } from './event-budget.ts'
import { explainNode } from './explain.ts'
import { Fleet } from './fleet.ts'
import { LastWords } from './last-words.ts'
import type { MarkStory } from './mark-story.ts'
import { markingPlan } from './marking-plan.ts'
import type {
  AggregatorPort,
  Decision,
  Event,
  EventQuery,
  Explanation,
  MatrixRow,
  MemberView,
  Release,
  RosterView,
  Snapshot,
  Store,
  StoredEvent,
  WouldBeMark,
} from './model.ts'
import { Recorder } from './recorder.ts'
import type { RosterStory } from './roster-story.ts'
import { matrixRows, memberViews, StateClock } from './snapshot.ts'
import { Verdicts, votesOf } from './verdicts.ts'

/** A node that has not begun within this time after it got the permit must not begin at all (docs/protocol.md, permits). */
const PERMIT_TTL_MS = 30_000

/** What the service needs of the running mesh node; given once it runs. */
export interface MeshSide {
  readonly leader: Leader
  now(): number
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  /** The one in force. */
  readonly roster: Roster
}

/** What the service needs of that which keeps the roster as the cluster is. */
interface RosterSide {
  view(): RosterView
  /** Lets through what waits for a person now. */
  release(): void
}

export interface ServiceInit {
  readonly store: Store
  /** In force when it starts. */
  readonly roster: Roster
  readonly node: string
  readonly term: number
  readonly version: string
  readonly notice: string
  readonly log: Log
}

export class AggregatorService implements AggregatorPort {
  readonly #init: ServiceInit
  readonly #fleet = new Fleet()
  readonly #verdicts: Verdicts
  readonly #lastWords: LastWords
  readonly #recorder: Recorder
  readonly #stateClock = new StateClock()
  readonly #listeners = new Set<(event: StoredEvent | null) => void>()
  readonly #decided = new Set<string>()
  readonly #budget = new EventBudget()
  #mesh: MeshSide | undefined
  #rosterSide: RosterSide | undefined
  #known: Roster
  #settingsVersion = 0

  constructor(init: ServiceInit) {
    this.#init = init
    this.#known = init.roster
    this.#verdicts = new Verdicts(init.store)
    this.#lastWords = new LastWords(init.store)
    for (const signed of this.saidBefore()) this.#fleet.hear(performance.now(), signed)
    this.#recorder = new Recorder(init.store, `${init.node}.${init.term}`, (event) => {
      this.#verdicts.take(event)
      this.#tell(event)
    })
  }

  /** What members said to this aggregator in its earlier life, of those that are members still. */
  saidBefore(): readonly SignedStatement[] {
    const { members } = this.#roster
    return this.#lastWords.read().filter(({ statement: { signer, serial } }) => {
      return members.some((member) => member.node === signer && member.serial === serial)
    })
  }

  get verdicts(): Verdicts {
    return this.#verdicts
  }

  get marks(): MarkStory {
    return this.#recorder.marks
  }

  get rosterStory(): RosterStory {
    return this.#recorder.roster
  }

  /** Members without a standing verdict that have not left. */
  live(): number {
    const { leader } = this.#running()
    const isLive = (node: string) => !leader.conditions.standing.has(node) && !leader.hasLeft(node)
    return this.#roster.members.filter(({ node }) => isLive(node)).length
  }

  /** From now on the roster follows a cluster. */
  followCluster(side: RosterSide): void {
    this.#rosterSide = side
  }

  /** What a node says of itself now; what it did not renew in time is unknown. */
  findingsOf(node: string): readonly Finding[] {
    return this.#fleet.findingsOf(node, performance.now())
  }

  /** The mesh runs: from now on there is a present to show. */
  start(mesh: MeshSide): void {
    this.#mesh = mesh
    this.#recorder.started(this.#init.node, this.#init.term)
  }

  hear(signed: SignedStatement): void {
    const change = this.#fleet.hear(performance.now(), signed)
    const { signer } = signed.statement
    this.#lastWords.keep(signed)
    if (change.kind !== 'none' && !this.#budget.take(signer, performance.now())) {
      this.#init.log.warn({ from: signer, kind: change.kind }, 'event not recorded: this node causes too many')
      return
    }
    switch (change.kind) {
      case 'joined':
        this.#recorder.mesh.joined(change.node, change.incarnation)
        this.#members()
        break
      case 'report':
        this.#recorder.report(change.node, change.detector, change.findings)
        break
      case 'remediation':
        this.#recorder.remediation(change.remediation)
        break
      case 'applied':
      case 'none':
        break
    }
    this.#tell(null)
  }

  notice(notice: Notice): void {
    this.#init.log.info({ notice: notice.kind, ...notice }, 'mesh')
    const causer = causerOf(notice)
    if (causer === undefined || this.#budget.take(causer, performance.now())) this.#recorder.mesh.notice(notice)
    this.#members()
    this.#tell(null)
  }

  /** The commit record: durable when it returns. */
  commit(certificate: Certificate): void {
    const { subject, kind, verdictId } = certificate
    const encoded = Buffer.from(encodeValue(certificate)).toString('base64')
    const needed = this.#running().leader.conditions.neededFor(subject)
    this.#recorder.mesh.verdict({ certificate, encoded, votes: votesOf(certificate, this.#roster), needed })
    this.#members()
    this.#init.log.warn({ subject, verdict: verdictId, kind }, 'verdict')
  }

  /** Ends the incidents on record that did not show again since this aggregator started. */
  endUnseen(): void {
    this.#recorder.mesh.endUnseen()
  }

  settingsInForce(version: number): void {
    this.#settingsVersion = version
    this.#recorder.settings(`settings/${version}`, 'info', `settings version ${version} in force`)
  }

  settingsRefused(why: string): void {
    this.#recorder.settings(`settings/refused/${randomUUID()}`, 'bad', `settings refused, version kept: ${why}`)
  }

  snapshot(): Snapshot {
    const { node, version, notice } = this.#init
    const { leader } = this.#running()
    const roster = this.#roster
    const { why, subjects } = leader.blindness
    return {
      mesh: {
        id: roster.mesh,
        leader: node,
        epoch: roster.epoch,
        version,
        frozen: leader.frozen ?? null,
        blind: why === undefined ? null : { why, subjects },
        hasQuorum: leader.hasQuorum,
      },
      notice,
      members: this.#members(),
      roster: this.#rosterSide?.view() ?? null,
      findings: this.#fleet.findings(performance.now()),
      verdicts: this.#verdicts.all(),
      remediations: this.#fleet.remediations(),
      settings: { version: this.#settingsVersion, applied: this.#fleet.applied() },
    }
  }

  events(query: EventQuery): readonly StoredEvent[] {
    return this.#init.store.query(query)
  }

  explain(node: string): Explanation | null {
    const member = this.snapshot().members.find((candidate) => candidate.node === node)
    return member === undefined ? null : explainNode(member, this.#init.store)
  }

  markingPlan(since: string): readonly WouldBeMark[] {
    return markingPlan(this.#init.store, since)
  }

  matrix(): readonly MatrixRow[] {
    const { leader, now } = this.#running()
    return matrixRows({ roster: this.#roster, leader, fleet: this.#fleet, nowMs: now() })
  }

  release({ reason, via }: Release, by: string): Event {
    const { leader, now } = this.#running()
    if (leader.frozen === undefined) throw new StarlingError('nothing is frozen: there is no freeze to end')
    // On record before it takes effect.
    const event = this.#recorder.mesh.released(`release-${randomUUID()}`, by, via, reason)
    leader.release(now(), `${by} ended the freeze: ${reason}`)
    this.#init.log.warn({ event: event.id, by, via }, 'freeze ended')
    this.#tell(null)
    return event
  }

  releaseRoster({ reason, via }: Release, by: string): Event {
    const held = this.#rosterSide?.view().held ?? []
    if (held.length === 0) throw new StarlingError('no change of the roster waits for anybody')
    const nodes = held.flatMap(({ nodes: waiting }) => waiting)
    // On record before it takes effect.
    const event = this.#recorder.roster.released(`release-${randomUUID()}`, { by, via, reason, nodes })
    this.#rosterSide?.release()
    this.#init.log.warn({ event: event.id, by, via }, 'roster released')
    return event
  }

  decide({ planId, action, reason, via }: Decision, by: string): Event {
    const remediation = this.#fleet.remediation(planId)
    if (remediation === undefined) throw new StarlingError(`there is no plan ${planId}`)
    const { plan, phase } = remediation
    const key = `${plan.id}@${plan.createdAt}`
    if (phase !== 'awaiting-approval') throw new StarlingError(`plan ${planId} waits for no decision: it is ${phase}`)
    if (this.#decided.has(key)) throw new StarlingError(`plan ${planId} was decided a moment ago`)
    const permit: Permit = {
      id: `permit-${randomUUID()}`,
      planId,
      planHash: plan.planHash,
      evidenceHash: plan.evidenceHash,
      node: plan.node,
      action,
      by,
      via,
      reason,
      at: new Date().toISOString(),
      ttlMs: PERMIT_TTL_MS,
    }
    const event = this.#recorder.decision(permit, remediation)
    this.#decided.add(key)
    // A permit that never arrived is void by then: the plan, if it still waits, can be decided again.
    setTimeout(() => this.#decided.delete(key), PERMIT_TTL_MS).unref()
    this.#running().publish(permitTopic(planId), encodeNote(permit), PERMIT_TTL_MS)
    return event
  }

  subscribe(listener: (event: StoredEvent | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Also called when something changed, so that each state begins when it began and not when somebody looked. */
  #members(): readonly MemberView[] {
    const { leader, now } = this.#running()
    const at = { nowMs: now(), now: new Date().toISOString() }
    return memberViews({ roster: this.#roster, leader, fleet: this.#fleet, clock: this.#stateClock, ...at })
  }

  /** The one in force. With one before it goes what its members said. */
  get #roster(): Roster {
    const roster = this.#mesh?.roster ?? this.#init.roster
    if (roster === this.#known) return roster
    this.#known = roster
    const serials = new Map([...roster.members, ...roster.aggregators].map(({ node, serial }) => [node, serial]))
    this.#fleet.retain((node) => serials.get(node))
    return roster
  }

  #tell(event: StoredEvent | null): void {
    for (const listener of this.#listeners) listener(event)
  }

  #running(): MeshSide {
    if (this.#mesh === undefined) throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    return this.#mesh
  }
}

/** The node that can bring about this notice by itself, as often as it likes. */
function causerOf(notice: Notice): string | undefined {
  switch (notice.kind) {
    case 'announced':
      return notice.verdict.subject
    case 'left':
    case 'returned':
      return notice.subject
    default:
      return undefined
  }
}
