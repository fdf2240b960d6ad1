/**
 * The aggregator's inner life: takes in what the mesh tells, keeps history and present, and answers the HTTP side. It does
 * no I/O of its own but through the store and the mesh it is given.
 */
import { randomUUID } from 'node:crypto'
import { StarlingError } from '../common/errors.ts'
import type { Finding } from '../detectors/contract.ts'
import type { Leader } from '../mesh/core/leader.ts'
import type { Notice } from '../mesh/core/message.ts'
import type { Certificate, Roster, SignedStatement } from '../mesh/core/model.ts'
import { rosterHash } from '../mesh/identity/signed-roster.ts'
import { Approvals } from './approvals.ts'
import { causerOf, EventBudget } from './event-budget.ts'
import { explainNode } from './explain.ts'
import { Fleet } from './fleet.ts'
import { Inheritance } from './inheritance.ts'
import { LastWords } from './last-words.ts'
import { markingPlan } from './marking-plan.ts'
import { NodeMarks } from './marks.ts'
import { MemberViews } from './member-views.ts'
import type {
  AggregatorPort,
  Event,
  EventQuery,
  Explanation,
  MatrixRow,
  MemberView,
  OfficeView,
  PermitsPort,
  SettingsPort,
  Snapshot,
  StoredEvent,
  WouldBeMark,
} from './model.ts'
import { nodesSeen } from './nodes-seen.ts'
import type { RemediationReport } from './outcomes/model.ts'
import { remediationReport } from './outcomes/report.ts'
import { Recorder } from './recorder.ts'
import type { DecisionRequest, Release } from './remediation-model.ts'
import type { NodeSeen } from './rollout-rules.ts'
import { RosterDesk } from './roster-desk.ts'
import type { MeshSide, OfficeSide, PermitsSide, ServiceInit, SettingsSide } from './sides.ts'
import { matrixRows } from './snapshot.ts'
import { endedElsewhere, recordOf, Verdicts } from './verdicts.ts'

export class AggregatorService implements AggregatorPort {
  /** Who comes and goes, where there is a cluster. */
  readonly rosterDesk: RosterDesk
  readonly #init: ServiceInit
  /** What nodes say of themselves. */
  readonly fleet = new Fleet((finding) => this.recorder.holds.seen(finding))
  readonly #verdicts: Verdicts
  readonly #marks: NodeMarks
  readonly #lastWords: LastWords
  /** What happens, as history. */
  readonly recorder: Recorder
  readonly #memberViews = new MemberViews()
  readonly #inheritance: Inheritance
  readonly #listeners = new Set<(event: StoredEvent | null) => void>()
  readonly #approvals: Approvals
  readonly #budget = new EventBudget()
  #mesh: MeshSide | undefined
  #office: OfficeSide | undefined
  #known: Roster
  readonly #startedAt = new Date().toISOString()
  #settings: SettingsSide | undefined
  #permits: PermitsSide | undefined

  constructor(init: ServiceInit) {
    this.#init = init
    this.#known = init.roster
    this.#verdicts = new Verdicts(init.store)
    this.#marks = new NodeMarks(init.store)
    this.#lastWords = new LastWords(init.store)
    for (const signed of this.saidBefore()) this.fleet.recall(signed)
    this.recorder = new Recorder(init.store, `${init.node}.${init.life}`, (event) => {
      this.#verdicts.take(event)
      this.#marks.take(event)
      this.#tell(event)
    })
    this.#inheritance = new Inheritance({
      verdicts: this.#verdicts,
      story: this.recorder.mesh,
      roster: () => this.roster,
      publish: (...note) => this.#mesh?.publish(...note),
      keepRoster: (hash) => {
        if (hash === rosterHash(this.roster)) init.keepRoster(hash)
      },
    })
    const { fleet, recorder } = this
    const whyHeld = (node: string, detector: string) => recorder.holds.whyHeldAmong(this.findingsOf(node), detector)
    this.#approvals = new Approvals({ fleet, recorder, people: init.people, whyHeld, wallNow: () => Date.now() })
    this.rosterDesk = new RosterDesk(this.recorder.roster, init.log)
  }

  /** What members said to this aggregator in its earlier life, of those that are members still. */
  saidBefore(): readonly SignedStatement[] {
    const { members } = this.roster
    return this.#lastWords.read().filter(({ statement: { signer, serial } }) => {
      return members.some((member) => member.node === signer && member.serial === serial)
    })
  }

  get verdicts(): Verdicts {
    return this.#verdicts
  }

  get settings(): SettingsPort {
    return this.#running().settings
  }

  get permits(): PermitsPort {
    return this.#running().permits
  }

  /** What all nodes say of themselves now. */
  findings(): readonly Finding[] {
    return this.fleet.findings(performance.now())
  }

  /** The members as settings are judged by: what they run, and what is wrong with them. */
  nodesSeen(): readonly NodeSeen[] {
    return nodesSeen(this.roster, this.#members(), this.fleet, performance.now())
  }

  /** Members without a standing verdict that have not left; undefined while this aggregator stands by. */
  live(): number | undefined {
    const leader = this.#mesh?.leader
    if (leader === undefined) return undefined
    const isLive = (node: string) => !leader.conditions.standing.has(node) && !leader.hasLeft(node)
    return this.roster.members.filter(({ node }) => isLive(node)).length
  }

  /** What a node says of itself now; what it did not renew in time is unknown. */
  findingsOf(node: string): readonly Finding[] {
    return this.fleet.findingsOf(node, performance.now())
  }

  /** The mesh runs: from now on, while this aggregator leads, there is a present to show. */
  start(mesh: MeshSide, office: OfficeSide, settings: SettingsSide, permits: PermitsSide): void {
    this.#mesh = mesh
    this.#office = office
    this.#settings = settings
    this.#permits = permits
  }

  /** This aggregator leads from now on. What ended while another led, ends here too. */
  leads(term: number): void {
    const { standing } = this.#running().leader.conditions
    endedElsewhere(this.#verdicts, this.recorder.mesh, standing)
    this.recorder.started(this.#init.node, term)
    for (const verdict of standing.values()) this.#inheritance.take(verdict)
  }

  /** Another leads, or nobody: whoever looks is told. */
  standsBy(): void {
    this.#tell(null)
  }

  /** Throws an Error for a note that is not what its topic says. */
  hear(signed: SignedStatement): void {
    const { signer, body } = signed.statement
    if (this.roster.aggregators.some(({ node }) => node === signer)) {
      this.#approvals.hear(body)
      this.#inheritance.hear(body, this.#mesh?.leader?.conditions.standing)
      return
    }
    const change = this.fleet.hear(performance.now(), signed)
    this.#lastWords.keep(signed)
    if (change.kind !== 'none' && !this.#budget.take(signer, performance.now())) {
      this.#init.log.warn({ from: signer, kind: change.kind }, 'event not recorded: this node causes too many')
      return
    }
    switch (change.kind) {
      case 'joined':
        this.recorder.mesh.joined(change.node, change.incarnation)
        this.#look()
        break
      case 'report':
        this.recorder.report(change.node, change.detector, change.findings)
        break
      case 'remediation':
        this.recorder.remediation(change.remediation)
        this.#approvals.heardOf(change.remediation)
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
    if (causer === undefined || this.#budget.take(causer, performance.now())) this.recorder.mesh.notice(notice)
    this.#look()
    this.#tell(null)
  }

  /** The commit record: durable when it returns. */
  commit(certificate: Certificate): void {
    const { subject, kind, verdictId } = certificate
    this.#init.keepRoster(certificate.rosterHash)
    this.recorder.mesh.verdict(recordOf(certificate, this.roster))
    this.#inheritance.leave(certificate)
    this.#look()
    this.#init.log.warn({ subject, verdict: verdictId, kind }, 'verdict')
  }

  /** Ends the incidents on record that did not show again since this aggregator started. */
  endUnseen(): void {
    this.recorder.mesh.endUnseen()
  }

  office(): OfficeView {
    const { node } = this.#init
    const part = this.#office?.office()
    return { node, ...(part ?? { role: 'starts', since: this.#startedAt, why: '', leader: '', unfit: null }) }
  }

  /** While this aggregator leads. */
  present(): Snapshot | undefined {
    return this.#mesh?.leader === undefined ? undefined : this.snapshot()
  }

  snapshot(): Snapshot {
    const { node, version, notice } = this.#init
    const { leader, settings, permits } = this.#running()
    const roster = this.roster
    const { why, subjects } = leader.blindness
    return {
      office: this.office(),
      marking: this.#office?.marking() ?? null,
      mesh: {
        id: roster.mesh,
        leader: node,
        epoch: roster.epoch,
        version,
        frozen: leader.frozen ?? null,
        blind: why === undefined ? null : { why, subjects },
        hasQuorum: leader.hasQuorum,
      },
      notice: notice(),
      members: this.#members(),
      roster: this.rosterDesk.view(),
      findings: [...this.findings(), ...this.fleet.foreign()],
      verdicts: this.#verdicts.all(),
      remediations: this.fleet.remediations(),
      permits: { ...permits.view(), approvals: this.#approvals.view() },
      settings: settings.view(),
      copies: this.#init.copies?.() ?? null,
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

  remediationPlan(since: string): RemediationReport {
    const pools = new Map(this.roster.members.map(({ node, pool = '' }) => [node, pool]))
    return remediationReport(this.#init.store, since, new Date().toISOString(), (node) => pools.get(node) ?? '')
  }

  matrix(): readonly MatrixRow[] {
    const { leader, now } = this.#running()
    return matrixRows({ roster: this.roster, leader, fleet: this.fleet, nowMs: now() })
  }

  release({ reason, via }: Release, by: string): Event {
    const { leader, now } = this.#running()
    if (leader.frozen === undefined) throw new StarlingError('nothing is frozen: there is no freeze to end')
    // On record before it takes effect.
    const event = this.recorder.mesh.released(`release-${randomUUID()}`, by, via, reason)
    leader.release(now(), `${by} ended the freeze: ${reason}`)
    this.#init.log.warn({ event: event.id, by, via }, 'freeze ended')
    this.#tell(null)
    return event
  }

  releaseRoster(release: Release, by: string): Event {
    this.#running()
    return this.rosterDesk.release(release, by)
  }

  decide(decision: DecisionRequest, by: string): Event {
    const { publish } = this.#running()
    return this.#approvals.decide(decision, by, publish)
  }

  subscribe(listener: (event: StoredEvent | null) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** When something changed, so that each state begins when it began and not when somebody looked. */
  #look(): void {
    const { fleet, roster } = this
    const leader = this.#mesh?.leader
    if (leader !== undefined) this.#memberViews.note({ leader, fleet, roster, now: new Date().toISOString() })
  }

  #members(): readonly MemberView[] {
    const { leader, now } = this.#running()
    const at = { nowMs: now(), now: new Date().toISOString() }
    const known = { roster: this.roster, fleet: this.fleet, marks: this.#marks }
    return this.#memberViews.look({ leader, ...known, ...at })
  }

  /** The one in force. With one before it goes what its members said. */
  get roster(): Roster {
    const roster = this.#mesh?.roster ?? this.#init.roster
    if (roster === this.#known) return roster
    this.#known = roster
    const serials = new Map([...roster.members, ...roster.aggregators].map(({ node, serial }) => [node, serial]))
    this.fleet.retain((node) => serials.get(node))
    this.recorder.holds.retain((node) => serials.has(node))
    return roster
  }

  #tell(event: StoredEvent | null): void {
    for (const listener of this.#listeners) listener(event)
  }

  #running(): Omit<MeshSide, 'roster'> & Led {
    const [settings, permits] = [this.#settings, this.#permits]
    if (this.#mesh === undefined || settings === undefined || permits === undefined)
      throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    const { leader, now, publish } = this.#mesh
    if (leader !== undefined) return { leader, now, publish, settings, permits }
    const { node, leader: other } = this.office()
    const remedy = other === '' || other === node ? 'nobody leads at present' : `ask ${other}, which leads`
    throw new StarlingError(`${node} stands by`, { remedy })
  }
}

interface Led {
  readonly leader: Leader
  readonly settings: SettingsSide
  readonly permits: PermitsSide
}
