/** Keeps what the mesh finds about nodes that live, for the marker: as findings, each with its beginning. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Ballots } from '../../mesh/core/ballots.ts'
import type { Conditions } from '../../mesh/core/conditions.ts'
import type { Disputes } from '../../mesh/core/disputes.ts'
import { DIAGNOSES, type Diagnosis, diagnose, MESH, type NodeSeen, refusesAll } from './marking/diagnosis.ts'
import { Turns } from './turns.ts'
import type { Witness } from './witness.ts'

/** As often as observers say again what they hold a node for (docs/protocol.md section 10, repeatMs). */
const LOOK_MS = 5_000

const NOTHING: ReadonlyMap<Diagnosis, Finding> = new Map()

/** What the leader of the mesh knows. */
export interface LeaderView {
  readonly ballots: Pick<Ballots, 'about'>
  readonly conditions: Pick<Conditions, 'agentDown' | 'neededFor'>
  readonly disputes: Pick<Disputes, 'linkFaults' | 'hasLinkFault'>
  readonly frozen: string | undefined
}

export interface DiagnosesInit {
  /** While this aggregator leads. */
  leader(): LeaderView | undefined
  readonly witness: Pick<Witness, 'hasLapsed'>
  readonly log: Log
  /** Something else is found about it than before. */
  changed(node: string): void
  /** Monotonic, ms. */
  now(): number
  /** RFC 3339. */
  wall(): string
}

export class Diagnoses {
  readonly #init: DiagnosesInit
  readonly #sinceMs: number
  readonly #found = new Map<string, ReadonlyMap<Diagnosis, Finding>>()
  readonly #turns = new Turns((node) => this.#pass(node))
  #timer: NodeJS.Timeout | undefined

  /** Begins with a leadership: what was before that it has not seen. */
  constructor(init: DiagnosesInit) {
    this.#init = init
    this.#sinceMs = init.now()
  }

  start(): void {
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_MS)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#turns.stop()
  }

  of(node: string): readonly Finding[] {
    return [...(this.#found.get(node)?.values() ?? [])]
  }

  /** The mesh told something of it. */
  look(node: string): void {
    this.#turns.take(node)
  }

  #lookAtAll(): void {
    const leader = this.#init.leader()
    if (leader === undefined) return
    const nodes = [...leader.conditions.agentDown, ...leader.disputes.linkFaults, ...this.#found.keys()]
    for (const node of new Set(nodes)) this.look(node)
  }

  async #pass(node: string): Promise<void> {
    try {
      await this.#diagnose(node)
    } catch (error) {
      // What is not known changes nothing; the next look may tell.
      this.#init.log.warn({ subject: node, err: messageOf(error) }, 'what the mesh finds about a node is not known')
    }
  }

  async #diagnose(node: string): Promise<void> {
    const leader = this.#init.leader()
    if (leader === undefined) return
    const before = this.#found.get(node) ?? NOTHING
    // A cut makes observers disagree about many at once, and is a fault of none of them.
    const mayBegin = leader.frozen === undefined
    const found = diagnose(await this.#seen(node, leader, mayBegin || before.has('KubeletDown')))
    const after = new Map<Diagnosis, Finding>()
    for (const reason of DIAGNOSES) {
      const summary = found[reason]
      const known = before.get(reason)
      if (summary === undefined || (known === undefined && !mayBegin)) continue
      after.set(reason, known ?? this.#finding(node, reason, summary))
    }
    if (after.size === 0) this.#found.delete(node)
    else this.#found.set(node, after)
    if ([...before.keys()].join() !== [...after.keys()].join()) this.#init.changed(node)
  }

  /** The Lease is read only where all else says that the kubelet is gone. */
  async #seen(node: string, leader: LeaderView, readsLease: boolean): Promise<NodeSeen> {
    const { ballots, conditions, disputes } = leader
    const agentDown = conditions.agentDown.has(node)
      ? { ballots: ballots.about(node, 'AgentDown'), needed: conditions.neededFor(node) }
      : undefined
    const isInDoubt = readsLease && agentDown !== undefined && refusesAll(agentDown)
    const hasLapsed = isInDoubt ? await this.#init.witness.hasLapsed(node, this.#sinceMs) : undefined
    return { agentDown, hasLapsed, hasLinkFault: disputes.hasLinkFault(node) }
  }

  #finding(node: string, reason: Diagnosis, summary: string): Finding {
    const since = this.#init.wall()
    const id = `${node}/${MESH}/${reason}/#${since}`
    const words = { id, node, detector: MESH, reason, cause: '', status: 'alarm', summary, evidence: [] } as const
    return { ...words, since, observedAt: since, ttlMs: 2 * LOOK_MS }
  }
}
