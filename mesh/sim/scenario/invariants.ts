/**
 * What must hold at every moment of every scenario, whatever is staged (docs/simulator.md, "What is checked"). The first
 * that does not hold ends the run where it happened.
 */
import { verifyCertificate, zonesOfObservers } from '../../core/certificate.ts'
import { showsHost } from '../../core/disputes.ts'
import type { Certificate } from '../../core/model.ts'
import { neededOf } from '../../core/quorum.ts'
import type { Timing } from '../../core/timing.ts'
import type { Machine } from '../stage.ts'
import { LEADER, type Record, type World } from '../world.ts'
import { UNDER_WAY_MS } from './history.ts'
import type { Episode, Staging } from './staging.ts'

/** A pause of a host for so long is never a death (docs/protocol.md section 8). */
const HOST_PAUSE_MS = 1_200
/** What was answered just before a cut still counts. */
const CUT_SETTLES_MS = 1_000
/** Sides are counted pair by pair. */
const SIDES_NODES_MAX = 1_000
/** What twenty streams hold for a process that does not run, 1,000 messages each. */
const WAITING_MAX = 20_000
/** After a freeze only so many are marked a minute (mesh/core/brake.ts). */
const RATION_FOR_MS = 600_000
/** Timers, messages under way and what TCP resends, for each member. */
const AGENDA_PER_MEMBER_MAX = 10_000

const NAMES = {
  certificate: '1, no verdict without a certificate that verifies',
  truth: '2, a node whose host answers is never held for dead',
  detection: '3, a silent host is marked in time',
  minority: '4, a side with at most half, or a frozen leader, marks nothing',
  bounded: '9, queues and what is kept are bounded',
} as const

type Rule = keyof typeof NAMES

export class InvariantBroken extends Error {
  override name = 'InvariantBroken'
  readonly rule: Rule
  /** Its number and what it says. */
  readonly invariant: string
  readonly node: string
  readonly atMs: number
  readonly seen: string

  constructor(rule: Rule, node: string, atMs: number, seen: string) {
    super(`${NAMES[rule]}: ${node}: ${seen}`)
    this.rule = rule
    this.invariant = NAMES[rule]
    this.node = node
    this.atMs = atMs
    this.seen = seen
  }
}

interface Silence {
  readonly from: number
  /** Infinity while it lasts. */
  until: number
}

/** A silent host that has to be marked by `dueAt`, if nothing stands against it meanwhile. */
interface Due {
  readonly episode: Episode
  readonly dueAt: number
}

export class Invariants {
  readonly #world: World
  readonly #staging: Staging
  readonly #timing: Timing
  readonly #silences = new Map<string, Silence>()
  #due: Due[] = []
  #frozenAt = Number.NEGATIVE_INFINITY

  constructor(world: World, staging: Staging, timing: Timing) {
    this.#world = world
    this.#staging = staging
    this.#timing = timing
    world.stage.onHostChange((machine, was) => this.#hostChanged(machine, was))
  }

  /** A host has just fallen silent that has to be marked within `boundMs`. */
  mustBeMarked(episode: Episode, boundMs: number): void {
    if (episode.until - episode.from > boundMs) this.#due.push({ episode, dueAt: episode.from + boundMs })
  }

  /** Nothing on a machine answers, and it is known until when. */
  silent({ node, from, until }: Episode): void {
    const known = this.#silences.get(node)
    if (known !== undefined && known.until >= from) known.until = Math.max(known.until, until)
    else this.#silences.set(node, { from, until })
  }

  recorded(record: Record): void {
    if (record.kind === 'notice' && record.notice.kind === 'brake') this.#frozenAt = record.at
    if (record.kind !== 'commit') return
    const { certificate } = record
    this.#checkCertificate(certificate)
    if (certificate.kind === 'NodeDown') this.#checkNodeDown(certificate)
    if (certificate.kind === 'HostHung') this.#checkHostHung(certificate)
    this.#checkMinority(certificate.subject)
    this.#due = this.#due.filter(({ episode }) => episode.node !== certificate.subject)
  }

  /** To be called about once a second. */
  look(): void {
    const { now } = this.#world.stage.agenda
    // What stands against a verdict at any moment until it is due takes the duty away.
    this.#due = this.#due.filter(({ episode }) => this.#canBeMarked(episode.node))
    for (const { episode, dueAt } of this.#due) {
      if (now < dueAt) continue
      const seconds = ((now - episode.from) / 1_000).toFixed(1)
      this.#broken('detection', episode.node, `its host has been silent for ${seconds} s, enough observers are fit`)
    }
    this.#checkBounds()
  }

  #checkCertificate(certificate: Certificate): void {
    const known = this.#world.rosterOf(certificate.rollCall.rollCall.epoch)
    const result =
      known === undefined
        ? { valid: false as const, why: 'it is of no roster of this mesh' }
        : verifyCertificate(certificate, known.roster, known.hash, this.#world.keyring, this.#timing)
    if (!result.valid) this.#broken('certificate', certificate.subject, result.why)
  }

  #checkNodeDown({ subject, answers }: Certificate): void {
    const { stage } = this.#world
    const { now } = stage.agenda
    const silence = this.#silences.get(subject)
    if (silence !== undefined && now - silence.until <= UNDER_WAY_MS) {
      const ms = silence.until - silence.from
      if (ms >= HOST_PAUSE_MS) return
      this.#broken('truth', subject, `NodeDown though its host is silent for ${Math.round(ms)} ms only`)
    }
    const observers = [...zonesOfObservers(this.#world.roster, subject).keys()]
    const isTroubled = observers.some((observer) => !stage.network.isClean(observer, subject))
    if (!isTroubled && now - this.#staging.networkChangedAt > UNDER_WAY_MS) {
      const { host, pausedUntil, closedPorts, takesConnections } = stage.machine(subject)
      const state = `${host}, ${pausedUntil > now ? 'agent paused' : 'agent running'}, ports ${closedPorts}, ${takesConnections ? 'accepts' : 'accepts nothing'}`
      this.#broken('truth', subject, `NodeDown while its host answers (${state})`)
    }
    const alive = answers.filter(({ answer }) => showsHost(answer)).map(({ answer }) => answer.voter)
    if (alive.length > 0) this.#broken('truth', subject, `NodeDown while its host answers ${alive.join(', ')}`)
  }

  #checkHostHung({ subject }: Certificate): void {
    const { stage } = this.#world
    const { host } = stage.machine(subject)
    const silence = this.#silences.get(subject)
    const wasSilent = silence !== undefined && stage.agenda.now - silence.until <= UNDER_WAY_MS
    if (host === 'hung' || wasSilent) return
    const observers = [...zonesOfObservers(this.#world.roster, subject).keys()]
    if (observers.some((observer) => !stage.network.isClean(observer, subject))) return
    this.#broken('truth', subject, `HostHung while its kubelet answers (${host})`)
  }

  #checkMinority(subject: string): void {
    const world = this.#world
    const { leader } = world.leader
    if (leader?.frozen !== undefined) this.#broken('minority', subject, `marked while frozen: ${leader.frozen}`)
    if (leader?.hasQuorum === false) this.#broken('minority', subject, 'marked by a leader without a majority')
    const { now } = world.stage.agenda
    if (world.roster.members.length > SIDES_NODES_MAX || now - this.#staging.networkChangedAt < CUT_SETTLES_MS) return
    const side = this.#sideOfLeader(now)
    // The one that was just marked was a live member until now.
    const live = world.roster.members.length - (leader?.conditions.standing.size ?? 0) + 1
    if (side * 2 <= live) this.#broken('minority', subject, `marked on a side of ${side} of ${live} live members`)
  }

  /** Members that the leader can hear, directly or through others. */
  #sideOfLeader(now: number): number {
    const { stage, roster } = this.#world
    const rest = new Set(roster.members.map(({ node }) => node).filter((node) => this.#ranLately(node, now)))
    const heard = [LEADER]
    for (let next = heard.pop(); next !== undefined; next = heard.pop()) {
      for (const node of rest) {
        if (stage.network.isCut(next, node)) continue
        rest.delete(node)
        heard.push(node)
      }
    }
    return roster.members.filter(({ node }) => !rest.has(node) && this.#ranLately(node, now)).length
  }

  #ranLately(node: string, now: number): boolean {
    const silence = this.#silences.get(node)
    return (
      this.#world.stage.machine(node).host === 'up' || (silence !== undefined && now - silence.from < CUT_SETTLES_MS)
    )
  }

  #canBeMarked(subject: string): boolean {
    const { stage, roster, leader } = this.#world
    const { now } = stage.agenda
    if (now - this.#frozenAt < RATION_FOR_MS || leader.leader?.hasQuorum === false) return false
    const observers = [...zonesOfObservers(roster, subject).keys()]
    if (observers.length < 3 || stage.machine(LEADER).host !== 'up') return false
    const fit = observers.filter((observer) => {
      const { host, pausedUntil } = stage.machine(observer)
      if (host !== 'up' || pausedUntil > now || this.#staging.isActedOn(observer)) return false
      if (!stage.network.isClean(observer, LEADER)) return false
      return this.#world.core(observer).observer.degraded === undefined
    })
    return fit.length >= neededOf(observers.length, observers.length)
  }

  #checkBounds(): void {
    const { stage, roster, leader } = this.#world
    const members = roster.members.length
    if (stage.agenda.size > AGENDA_PER_MEMBER_MAX * members) {
      this.#broken('bounded', LEADER, `${stage.agenda.size} timers and messages are under way`)
    }
    for (const node of [LEADER, ...roster.members.map((member) => member.node)]) {
      const waiting = this.#world.waitingAt(node)
      if (waiting > WAITING_MAX) this.#broken('bounded', node, `${waiting} inputs wait`)
    }
    const ballots = leader.leader?.ballots
    for (const subject of ballots?.subjects() ?? []) {
      const held = ballots?.about(subject).length ?? 0
      if (held > 2 * zonesOfObservers(roster, subject).size + 10) {
        this.#broken('bounded', LEADER, `${held} ballots about ${subject}`)
      }
    }
  }

  #hostChanged({ name, host }: Machine, was: Machine['host']): void {
    const { now } = this.#world.stage.agenda
    const silence = this.#silences.get(name)
    if (host === 'down' && (silence === undefined || silence.until < now)) {
      this.#silences.set(name, { from: now, until: Number.POSITIVE_INFINITY })
    }
    if (was === 'down' && silence?.until === Number.POSITIVE_INFINITY) silence.until = now
    if (was === 'down') this.#due = this.#due.filter(({ episode }) => episode.node !== name)
  }

  #broken(rule: Rule, node: string, seen: string): never {
    throw new InvariantBroken(rule, node, this.#world.stage.agenda.now, seen)
  }
}
