/**
 * A mesh on a stage: the nodes run the shipped core, as mesh/libp2p/mesh-node.ts runs it on sockets. What becomes of hosts
 * and packets is the stage's affair; the world starts what a host that is back would start.
 */
import { Core } from '../core/core.ts'
import type { Effect, Input, Message, Notice } from '../core/message.ts'
import type { Certificate, Keyring, Member, Roster, SignedStatement, Standing } from '../core/model.ts'
import { DEFAULT_TIMING, type Timing } from '../core/timing.ts'
import type { ElectionNotice } from '../election/model.ts'
import type { SimApi } from './election/api.ts'
import { Contest } from './election/contest.ts'
import type { Replica } from './election/replica.ts'
import { Program } from './program.ts'
import { Signatures } from './signatures.ts'
import { SimHostChannel } from './sim-host-channel.ts'
import { bytesOf, epochIn, hashOf, simMember } from './sim-roster.ts'
import { type Machine, Stage } from './stage.ts'
import { Streams } from './streams.ts'

/** One thing the leader said or did, and when (virtual ms). */
export type Record =
  | { readonly at: number; readonly kind: 'commit'; readonly certificate: Certificate }
  | { readonly at: number; readonly kind: 'notice'; readonly notice: Notice }

export interface WorldOptions {
  /** `node-1` and on, spread over the zones in turn. */
  readonly nodes: number
  readonly zones: number
  readonly seed: number
  /** `aggregator-1` and on; one unless given. */
  readonly aggregators?: number
  /** The API server where they elect one of them; without it the first leads, and the others stand by. */
  readonly api?: (stage: Stage) => SimApi
  readonly timing?: Timing
  /** Where it plays, if not on a stage of its own with this seed. The world puts its machines on it. */
  readonly stage?: Stage
  /** Whether the leader can read kubelets' Leases, as in Kubernetes. */
  readonly heartbeats?: boolean
  /** Called for every message that goes out, with the sender and the receiver. */
  onSend?(message: Message, from: string, to: string): void
  /** Called for each record as it is made. What it throws ends the run at that moment. */
  onRecord?(record: Record): void
  /** Called for what the election tells people, with the replica that does. */
  onElection?(notice: ElectionNotice, node: string): void
  /** Called for each statement that the leader has just taken in. */
  onHeard?(signed: SignedStatement): void
  /** Called when a node was given a document that it had sought. */
  onDocument?(node: string, hash: string, bytes: Uint8Array): void
  /** What really happens in place of an effect that a member's core asks for: what liars do. It signs as that member. */
  tamper?(node: string, effect: Effect, sign: Keyring['sign']): readonly Effect[]
}

/** One life of a node, from a start of its agent to its end. */
interface Life {
  readonly boot: number
  readonly program: Program
  readonly streams: Streams
}

/** The first aggregator's name on every stage. */
export const LEADER = 'aggregator-1'

/** What an API server takes to answer a read. */
const API_ANSWER_MS = 10
/** While a verdict stands its Lease is read again this often (docs/protocol.md section 6). */
const READ_AGAIN_MS = 5_000

export class World {
  readonly stage: Stage
  readonly records: Record[] = []
  /** The latest; what each node goes by is its core's affair. */
  roster: Roster
  /** Messages sent so far. */
  messages = 0
  readonly #timing: Timing
  readonly #hooks: Pick<WorldOptions, 'onSend' | 'onRecord' | 'onHeard' | 'onDocument' | 'tamper'>
  readonly #zones: number
  readonly #heartbeats: boolean
  readonly #members: Map<string, Member>
  readonly #rosters = new Map<number, Roster>()
  readonly #lives = new Map<string, Life>()
  /** As the aggregator's store would keep them. */
  readonly #standing = new Map<string, Standing>()
  /** Since when those were silent whose Leases were asked for. */
  readonly #silentSince = new Map<string, number>()
  readonly #signatures = new Signatures()
  readonly #contest: Contest | undefined

  constructor({
    nodes,
    zones,
    seed,
    aggregators = 1,
    api,
    timing = DEFAULT_TIMING,
    stage = new Stage(seed),
    heartbeats = false,
    ...hooks
  }: WorldOptions) {
    this.stage = stage
    this.#zones = zones
    this.#heartbeats = heartbeats
    this.#timing = timing
    this.#hooks = hooks
    this.#contest = api && new Contest(stage, api(stage), hooks.onElection)
    const members = Array.from({ length: nodes }, (_, index) => simMember(`node-${index + 1}`, `zone-${index % zones}`))
    this.roster = {
      mesh: 'sim',
      epoch: 1,
      previous: '',
      seed: `seed-${seed}`,
      members: members.toSorted((a, b) => (a.node < b.node ? -1 : 1)),
      aggregators: Array.from({ length: aggregators }, (_, index) => simMember(`aggregator-${index + 1}`, '')),
    }
    this.#rosters.set(this.roster.epoch, this.roster)
    const all = [...this.roster.members, ...this.roster.aggregators]
    this.#members = new Map(all.map((member) => [member.node, member]))
    for (const { node, zone } of all) this.#start(stage.add(node, zone), 1)
    stage.onHostChange((machine) => this.#hostChanged(machine))
  }

  /**
   * A later roster, by the leader: `members` are names, those that are new are started with this. The others fetch it from
   * each other.
   */
  advance(members: readonly string[]): void {
    const { roster } = this
    const joined = members.filter((node) => !this.#members.has(node)).map((node) => simMember(node, this.#zoneOf(node)))
    for (const member of joined) this.#members.set(member.node, member)
    const next = members.toSorted().map((node) => this.#member(node))
    this.roster = { ...roster, epoch: roster.epoch + 1, previous: hashOf(roster), members: next }
    this.#rosters.set(this.roster.epoch, this.roster)
    this.#life(LEADER).program.take(this.#rosterInput(bytesOf(this.roster)))
    for (const { node, zone } of joined) this.#start(this.stage.add(node, zone), 1)
  }

  /** The leader's core; a new one after each start of its agent. */
  get leader(): Core {
    return this.core(LEADER)
  }

  /** A node's core; a new one after each start of its agent. Throws for a node that is not of this world. */
  core(node: string): Core {
    return this.#life(node).program.core
  }

  /** An aggregator's part in the election; a new one after each start. Throws where there is none. */
  replica(node: string): Replica {
    if (this.#contest === undefined) throw new Error('nobody elects in this world')
    return this.#contest.replica(node)
  }

  /** Lets a node say something, as its agent would of a finding. */
  publish(node: string, topic: string, bytes: Uint8Array, ttlMs: number): void {
    this.#life(node).program.take({ kind: 'publish', topic, bytes, ttlMs })
  }

  /** What a node has for others, and lacks, as its agent would say of settings. */
  documents(node: string, holds: readonly Uint8Array[], seeks: readonly string[]): void {
    this.#life(node).program.take({ kind: 'documents', holds, seeks })
  }

  commits(): readonly { readonly at: number; readonly certificate: Certificate }[] {
    return this.records.filter((record) => record.kind === 'commit')
  }

  /** An agent says that it is about to stop, and means to be back after `forMs`. */
  leave(node: string, reason: string, forMs: number): void {
    this.#life(node).program.take({ kind: 'leave', reason, forMs })
  }

  /** A roster that was in force in this world, and its hash; undefined for an epoch that has not come. */
  rosterOf(epoch: number): { readonly roster: Roster; readonly hash: string } | undefined {
    const roster = this.#rosters.get(epoch)
    return roster && { roster, hash: hashOf(roster) }
  }

  /** Of the leader that is in office. */
  get term(): number {
    return this.#life(LEADER).boot
  }

  /** Checks what members of this world have signed. */
  get keyring(): Pick<Keyring, 'verify'> {
    return this.#signatures.keyringOf(LEADER)
  }

  /** What has reached a node and waits until its agent runs. */
  waitingAt(node: string): number {
    return this.#life(node).program.waiting
  }

  #start(machine: Machine, boot: number): void {
    const { stage, roster } = this
    const node = machine.name
    const program = new Program(stage, machine)
    const streams = new Streams(stage, program, (peer) => this.#life(peer).streams)
    const channel = new SimHostChannel(stage, machine)
    const incarnation = { serial: 1, boot, refutations: 0 }
    this.#lives.set(node, { boot, program, streams })
    const isAggregator = roster.aggregators.some((one) => one.node === node)
    const nonce = () => Math.floor(stage.random() * 2 ** 48).toString(16)
    const aggregator = { rosterHash: hashOf(roster), saidBefore: [], heartbeats: this.#heartbeats, nonce }
    const core = new Core(program.now(), {
      node,
      incarnation,
      roster,
      rosterBytes: bytesOf(roster),
      keyring: this.#signatures.keyringOf(node),
      timing: this.#timing,
      random: stage.random,
      ...(isAggregator ? { aggregator } : {}),
    })
    const { tamper } = this.#hooks
    const { sign } = this.#signatures.keyringOf(node)
    program.start(core, (effect) => {
      if (tamper === undefined) this.#perform(effect, program, streams, channel)
      else for (const real of tamper(node, effect, sign)) this.#perform(real, program, streams, channel)
    })
    if (isAggregator) this.#contest?.enter(program, incarnation)
    if (node !== LEADER || this.#contest !== undefined) return
    const { agenda } = stage
    const standing = [...this.#standing.values()]
    agenda.at(agenda.now, () => program.take({ kind: 'lead', term: boot, standing }))
  }

  /** A hung machine goes on where it was; a host that was down, and an agent that was, start again. */
  #hostChanged(machine: Machine): void {
    const life = this.#lives.get(machine.name)
    if (life === undefined) return
    const { host } = machine
    const { boot, program, streams } = life
    if (program.isAlive && (host === 'down' || host === 'agentDown')) {
      program.kill()
      streams.end(host === 'down' ? 'is gone' : 'lives')
    }
    if (!program.isAlive && host === 'up') this.#start(machine, boot + 1)
  }

  #perform(effect: Effect, program: Program, streams: Streams, channel: SimHostChannel): void {
    switch (effect.kind) {
      case 'send':
        if (!streams.send(effect.to, effect.via, effect.message)) return
        this.messages++
        this.#hooks.onSend?.(effect.message, program.machine.name, effect.to)
        return
      case 'dial':
        streams.dial(effect.peer)
        return
      case 'abort':
        streams.abort(effect.peer)
        return
      case 'askHost': {
        const { subject, controls } = effect
        const members = controls.map((control) => this.#member(control))
        channel.ask(this.#member(subject), members, {
          accepted: () => program.take({ kind: 'hostAccepted', subject }),
          answered: (answer) => program.take({ kind: 'hostAnswer', subject, answer }),
        })
        return
      }
      case 'commit':
        this.#standing.set(effect.certificate.subject, standingOf(effect.certificate))
        this.#record({ at: this.stage.agenda.now, kind: 'commit', certificate: effect.certificate })
        if (this.#heartbeats) this.#readAgainLater(standingOf(effect.certificate))
        return
      case 'notice':
        if (effect.notice.kind === 'recovered') this.#standing.delete(effect.notice.verdict.subject)
        this.#record({ at: this.stage.agenda.now, kind: 'notice', notice: effect.notice })
        return
      case 'rosterOffered':
        program.take(this.#rosterInput(effect.bytes))
        return
      case 'readHeartbeat':
        this.#silentSince.set(effect.subject, this.stage.agenda.now - effect.silentMs)
        this.#readLease(effect.subject, effect.silentMs, program)
        return
      case 'heard':
        if (program.machine.name === LEADER) this.#hooks.onHeard?.(effect.signed)
        return
      case 'reach':
      case 'called':
        this.#contest?.replica(program.machine.name).take(effect)
        return
      case 'documentCame':
        this.#hooks.onDocument?.(program.machine.name, effect.hash, effect.bytes)
        return
      case 'dropped':
        return
    }
  }

  #record(record: Record): void {
    this.records.push(record)
    this.#hooks.onRecord?.(record)
  }

  #zoneOf(node: string): string {
    return `zone-${(Number(node.split('-')[1] ?? 1) - 1) % this.#zones}`
  }

  /** Rosters are shared by reference: the bytes only name the epoch. */
  #rosterInput(bytes: Uint8Array): Input {
    const epoch = epochIn(bytes)
    const roster = this.#rosters.get(epoch)
    if (roster === undefined) throw new Error(`no roster of epoch ${epoch} in this world`)
    return { kind: 'roster', roster, hash: hashOf(roster), bytes }
  }

  /** As the aggregator does while a verdict stands. */
  #readAgainLater({ subject, verdictId }: Standing): void {
    const { agenda } = this.stage
    agenda.at(agenda.now + READ_AGAIN_MS, () => {
      const standing = this.leader.leader?.conditions.standing.get(subject)
      if (standing?.verdictId !== verdictId || standing.kind === 'Isolated') return
      const since = this.#silentSince.get(subject) ?? agenda.now
      this.#readLease(subject, agenda.now - since, this.#life(LEADER).program)
      this.#readAgainLater(standing)
    })
  }

  /** The kubelet renews its Lease for as long as its host runs and reaches the API server, whatever becomes of the agent. */
  #readLease(subject: string, silentMs: number, program: Program): void {
    const { agenda } = this.stage
    const renewedAt = this.stage.leaseRenewedAt(subject)
    const renewed = renewedAt > agenda.now - silentMs
    agenda.at(agenda.now + API_ANSWER_MS, () => program.take({ kind: 'heartbeat', subject, renewed }))
  }

  #life(node: string): Life {
    const life = this.#lives.get(node)
    if (life === undefined) throw new Error(`no node ${node} in this world`)
    return life
  }

  #member(node: string): Member {
    const member = this.#members.get(node)
    if (member === undefined) throw new Error(`no node ${node} in this world`)
    return member
  }
}

function standingOf({ verdictId, kind, subject, incarnation }: Certificate): Standing {
  return { verdictId, kind, subject, incarnation }
}
