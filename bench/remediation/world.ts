/** A simulated world: nodes with their agents, aggregators of which one leads, and the mesh between them, on virtual time. */
import type { SettledRules } from '../../aggregator/permits/mode.ts'
import type { NodeNow, Outlook } from '../../aggregator/permits/outside.ts'
import type { MeshNow } from '../../aggregator/permits/view.ts'
import type { Member } from '../../mesh/core/model.ts'
import { Agenda } from '../../mesh/sim/agenda.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Approval, Pause } from '../../remediators/guards/view.ts'
import { countFaults, faultsOf } from '../../remediators/neighbours.ts'
import type { Decision } from '../../remediators/permits.ts'
import type { Policy } from '../../remediators/policy/model.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { readRemediatorSettings } from '../../remediators/settings.ts'
import { type Said, SimAgent } from './agent.ts'
import { type Answer, type Note, SimAggregator } from './aggregator.ts'
import { Checker } from './checker.ts'
import { Dice } from './dice.ts'
import { AILMENTS, REMEDIATORS } from './fixes.ts'
import { type Fleet, makeFleet, makePolicies, type Place } from './fleet.ts'
import { SimHost } from './host.ts'
import { SimRecord } from './record.ts'
import type { Shipped } from './shipped.ts'
import { inHands, keyOf } from './truth.ts'

/** A host that is silent is held for dead by then. */
const DETECTED_MS = 3_000
/** As aggregator/permits/mesh-now.ts: who begins to lead listens first. */
const SETTLE_MS = 15_000
const NOTE_TTL_MS = 86_400_000
const REQUEST_TTL_MS = 30_000
const NEIGHBOURS = 4
/** So many neighbours with one fault have a cause in common, and fewer cannot say that they have not. */
const TELLING = 3
/** A begin cut off from the leader is prepared for so long at most. */
const ALONE_MS = 120_000

const SETTINGS = readRemediatorSettings(REMEDIATORS, {})

export class World {
  readonly dice: Dice
  readonly fleet: Fleet
  readonly checker = new Checker()
  readonly record = new SimRecord()
  readonly agents = new Map<string, SimAgent>()
  readonly aggregators: readonly SimAggregator[]
  /** Of all that were ever in force, by name. */
  readonly policies = new Map<string, Policy>()
  /** In the hands of others, and why. */
  readonly taken = new Map<string, string>()
  readonly cut = new Set<string>()
  pauses: readonly Pause[] = []
  isStale = false
  readonly #agenda = new Agenda()
  readonly #places: ReadonlyMap<string, Place>
  readonly #members: readonly Member[]
  readonly #down = new Map<string, number>()
  readonly #void = new Set<string>()
  readonly #outboxes = new Map<string, Map<string, Note>>()
  readonly #approvals = new Map<string, readonly Approval[]>()
  readonly #unledAt = new Map<string, number>()
  readonly #ownAt = new Map<string, number>()
  #rulesVersion = 0
  #inForce: readonly (readonly Policy[])[] = []

  constructor(seed: number, shipped: Shipped, nodes?: number) {
    this.dice = new Dice(seed)
    this.checker.attach(this)
    this.fleet = makeFleet(this.dice, nodes)
    this.#places = new Map(this.fleet.places.map((place) => [place.node, place]))
    this.#members = this.fleet.places.map((place) => {
      return { ...place, serial: 1, peerId: place.node, hosts: [], meshPort: 0, kubeletPort: 0 }
    })
    const { dice, checker, record, fleet } = this
    const common = { dice, checker, ...shipped, now: () => this.now(), later: this.later.bind(this) }
    this.aggregators = Array.from({ length: fleet.aggregators }, (_, index) => {
      return new SimAggregator({
        ...{ ...common, record, name: `aggregator-${index}`, settings: fleet.guards },
        wall: () => Date.UTC(2026, 0, 1) + this.now(),
        outlook: () => this.#outlook(),
        mesh: (aggregator) => this.#mesh(aggregator),
        settled: (node) => this.#settled(node),
        approvals: (plan) => (plan === undefined ? [] : (this.#approvals.get(keyOf(plan)) ?? [])),
        send: (answer) => this.#send(answer),
      })
    })
    const policies = this.#newPolicies()
    for (const place of fleet.places) {
      const host = new SimHost(place.node, place.roles.includes('etcd'), dice)
      const around = (node: string) => this.#around(node)
      const publish = (agent: SimAgent, topic: string, what: Said) => this.#publish(agent, topic, what)
      const reboot = (node: string) => this.goDown(node, dice.between(20_000, 300_000))
      const isDown = (node: string) => this.isDown(node)
      const onCrash = (node: string) => this.#forget(node)
      const rules = this.#rulesFor(place, policies)
      this.agents.set(place.node, new SimAgent({ ...common, host, rules, around, publish, reboot, isDown, onCrash }))
    }
  }

  now(): number {
    return this.#agenda.now * 1_000
  }

  later(ms: number, run: () => void): void {
    this.#agenda.at(this.#agenda.now + ms / 1_000, run)
  }

  runFor(ms: number): void {
    this.#agenda.runUntil(this.#agenda.now + ms / 1_000)
  }

  place(node: string): Place | undefined {
    return this.#places.get(node)
  }

  pausesNow(): readonly Pause[] {
    return this.pauses.filter(({ untilMs }) => untilMs > this.now())
  }

  isDown(node: string): boolean {
    return this.#down.has(node)
  }

  /** Its permit ended with its node, which the mesh held for dead. */
  isVoid(permitId: string): boolean {
    return this.#void.has(permitId)
  }

  wasCut(node: string): boolean {
    return this.now() - (this.#unledAt.get(node) ?? Number.NEGATIVE_INFINITY) <= ALONE_MS
  }

  /** Lately its neighbours could tell that the fault is its own. */
  wasItsOwn(node: string, reason: string): boolean {
    return this.now() - (this.#ownAt.get(`${node} ${reason}`) ?? Number.NEGATIVE_INFINITY) <= ALONE_MS
  }

  goDown(node: string, forMs: number): void {
    const agent = this.agents.get(node)
    if (agent === undefined || this.isDown(node)) return
    const since = this.now()
    this.#down.set(node, since)
    if (agent.isUp) agent.crash()
    this.later(DETECTED_MS, () => {
      if (this.#down.get(node) === since) this.#voidPermitsOf(node)
      for (const aggregator of this.aggregators) aggregator.look()
    })
    this.later(forMs, () => this.comeUp(node))
  }

  comeUp(node: string): void {
    if (this.#down.delete(node)) this.agents.get(node)?.start()
  }

  /** Members say again what they still mean. */
  resync(nodes: Iterable<string>): void {
    const now = this.now()
    for (const node of nodes) {
      const outbox = this.#outboxes.get(node)
      for (const [topic, note] of outbox ?? []) {
        if (note.until <= now) outbox?.delete(topic)
        else for (const aggregator of this.aggregators) this.#deliver(note, aggregator, 2_000)
      }
    }
  }

  reconfigure(): void {
    const policies = this.#newPolicies()
    for (const [node, agent] of this.agents) {
      const place = this.place(node)
      if (place !== undefined) this.later(this.dice.between(0, 20_000), () => this.#configure(agent, place, policies))
    }
  }

  #configure(agent: SimAgent, place: Place, policies: readonly Policy[]): void {
    agent.reconfigure(this.#rulesFor(place, policies))
  }

  #newPolicies(): readonly Policy[] {
    const policies = makePolicies(this.dice, this.#rulesVersion++)
    this.#inForce = [policies, ...this.#inForce].slice(0, 2)
    for (const policy of policies) this.policies.set(policy.name, policy)
    return policies
  }

  /** By the policies in force, and by those before, which it may have until it has heard of the others. */
  #settled(node: string): readonly SettledRules[] {
    const place = this.place(node)
    if (place === undefined) return []
    return this.#inForce.map((policies, index) => {
      return { version: this.#rulesVersion - index, rules: this.#rulesFor(place, policies) }
    })
  }

  #rulesFor(place: Place, policies: readonly Policy[]): Rules {
    return { node: place.node, traits: place, byName: SETTINGS, policies }
  }

  #outlook(): Outlook {
    const stale = this.isStale ? 'the API server does not answer' : undefined
    if (stale !== undefined) return { nodes: new Map(), stale, alerts: [] }
    const nodes = this.fleet.places.map(({ node, pool, ...place }): [string, NodeNow] => {
      const now = { isReady: true, takenBy: this.taken.get(node), paused: undefined, blockingPods: [] }
      return [node, { ...place, pool, ...now }]
    })
    return { nodes: new Map(nodes), stale, alerts: [] }
  }

  #mesh(aggregator: SimAggregator): MeshNow {
    const now = this.now()
    const dead = [...this.#down].filter(([, since]) => now - since >= DETECTED_MS)
    return {
      members: this.#members,
      standing: new Map(dead.map(([node]) => [node, { kind: 'NodeDown' }])),
      hasLeft: () => false,
      findings: aggregator.findings,
      restrained:
        now - aggregator.ledSince < SETTLE_MS
          ? 'it has led for too short a time'
          : aggregator.isCut
            ? 'it reaches no more than half of the live members'
            : aggregator.frozen,
    }
  }

  #isLed(node: string): boolean {
    return !this.cut.has(node) && this.aggregators.some(({ term, isCut }) => term !== undefined && !isCut)
  }

  #around(node: string): { isLed: boolean; neighbours: ReadonlyMap<string, number> | undefined } {
    const isLed = this.#isLed(node)
    if (isLed) return { isLed, neighbours: undefined }
    this.#unledAt.set(node, this.now())
    const said = this.#audible(node).map(({ heard }) => [...heard.values()].flat())
    for (const { reason } of AILMENTS) {
      const alike = said.filter((findings) => findings.some((finding) => finding.reason === reason)).length
      if (said.length >= TELLING && alike < TELLING) this.#ownAt.set(`${node} ${reason}`, this.now())
    }
    return { isLed, neighbours: countFaults(said.map(faultsOf)) }
  }

  /** Its neighbours that can tell it something. */
  #audible(node: string): readonly SimAgent[] {
    const { places } = this.fleet
    const own = places.findIndex((place) => place.node === node)
    const steps = Array.from({ length: Math.min(NEIGHBOURS, places.length - 1) }, (_, index) => index + 1)
    const agents = steps.flatMap((step) => this.agents.get(places[(own + step) % places.length]?.node ?? '') ?? [])
    return agents.filter((agent) => agent.isUp && !this.isDown(agent.node))
  }

  #publish(agent: SimAgent, topic: string, what: Said): void {
    const { node, boot } = agent
    const position = { serial: 1, boot, seq: ++agent.seq }
    const until = this.now() + ('request' in what ? REQUEST_TTL_MS : NOTE_TTL_MS)
    const note: Note = { node, topic, position, what, until }
    const outbox = this.#outboxes.get(node) ?? new Map<string, Note>()
    this.#outboxes.set(node, outbox.set(topic, note))
    for (const aggregator of this.aggregators) {
      this.#deliver(note, aggregator, this.dice.chance(0.03) ? 40_000 : 300)
      if (this.dice.chance(0.03)) this.#deliver(note, aggregator, 600_000)
    }
    if ('remediation' in what && what.remediation.phase === 'awaiting-approval')
      this.#awaitPerson(what.remediation.plan)
  }

  /** What nobody heard is lost with the memory that it was in. */
  #forget(node: string): void {
    if (this.cut.has(node)) this.#outboxes.delete(node)
  }

  #deliver(note: Note, aggregator: SimAggregator, withinMs: number): void {
    this.later(this.dice.between(1, withinMs), () => {
      if (!this.cut.has(note.node) && !aggregator.isCut && this.now() < note.until) aggregator.hear(note)
    })
  }

  #send(answer: Answer): void {
    const { node } = 'permit' in answer ? answer.permit : answer.refusal
    const input =
      'permit' in answer
        ? ({ kind: 'permit', permit: answer.permit } as const)
        : ({ kind: 'refusal', refusal: answer.refusal } as const)
    const times = this.dice.chance(0.03) ? 0 : this.dice.chance(0.05) ? 3 : 1
    for (let time = 0; time < times; time++) this.#toNode(node, (agent) => agent.take(input), this.dice.chance(0.05))
  }

  #toNode(node: string, take: (agent: SimAgent) => void, isLate: boolean): void {
    this.later(this.dice.between(1, isLate ? 60_000 : 300), () => {
      const agent = this.agents.get(node)
      if (agent?.isUp && !this.cut.has(node)) take(agent)
    })
  }

  #awaitPerson(plan: Plan): void {
    const { dice } = this
    if (dice.chance(0.3)) return
    this.later(dice.between(30_000, 2_400_000), () => {
      const action = dice.chance(0.85) ? 'approve' : 'reject'
      const { id: planId, planHash, evidenceHash, node } = plan
      const people = plan.risk === 'dangerous' && dice.chance(0.6) ? ['ada', 'grace'] : ['ada']
      const decisions = people.map((by): Decision => {
        const id = `decision-${dice.hex(6)}`
        const at = new Date(Date.UTC(2026, 0, 1) + this.now()).toISOString()
        return {
          id,
          planId,
          planHash,
          evidenceHash,
          node,
          action,
          by,
          via: 'cli',
          reason: 'why not',
          at,
          ttlMs: 60_000,
        }
      })
      const approvals = decisions.map((decision) => ({ decision, person: decision.by }))
      if (action === 'approve') this.#approvals.set(keyOf(plan), approvals)
      for (const decision of decisions)
        this.#toNode(node, (agent) => agent.take({ kind: 'decision', decision }), dice.chance(0.05))
    })
  }

  #voidPermitsOf(node: string): void {
    const own = inHands(this.agents.values(), this.checker.sent).filter((hand) => hand.node === node)
    for (const { permitId } of own) this.#void.add(permitId)
  }
}
