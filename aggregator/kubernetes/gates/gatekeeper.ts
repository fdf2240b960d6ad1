/**
 * Keeps the readiness gates of pods that opted in as their nodes want them, while this process leads. It writes only what
 * is not so yet, each write for the version that it was decided on; whatever changes after that is told, and decided anew.
 */

import { messageOf } from '../../../common/errors.ts'
import type { Log } from '../../../common/log.ts'
import { isOfJournal } from '../../store/refusal.ts'
import { ApiError } from '../api-error.ts'
import type { Authority } from '../authority.ts'
import { type Cluster, guarded, NotLeading } from '../cluster.ts'
import { decideGates, type GateCause, type GatedPod, type GateWrite, gatePatch } from '../marking/gates.ts'
import type { NodeObject } from '../marking/objects.ts'
import { Slots } from '../slots.ts'
import type { Times } from '../times.ts'
import { Turns } from '../turns.ts'
import { NodeGates } from './node-gates.ts'
import type { OptedPods } from './opted-pods.ts'
import { PodTable } from './pod-table.ts'

/** Beside the marker's 16: marks go first, and the Lease needs a connection, too. */
const IN_FLIGHT_MAX = 2

const RETRY_MS = 2_000
/** What a person has to mend first, such as rights; and the longest that a server may ask for. */
const RETRY_MS_MAX = 30_000

/** Of one group, on one node. */
export interface GatesOfNode {
  readonly node: string
  readonly group: string
  readonly reason: string
  readonly cause: GateCause | undefined
  /** Names of the pods. */
  readonly pods: readonly string[]
}

export interface GateRecord {
  /** `opened`: those that were closed; a new pod's first opening is no news. */
  wroteGates(what: 'closed' | 'opened', gates: GatesOfNode): void
  /** Open, since nobody else of their group serves. Told once for as long as it is so. */
  keptGates(gates: GatesOfNode): void
}

export interface GatekeeperInit {
  readonly cluster: Cluster
  readonly pods: OptedPods
  readonly authority: Authority
  readonly record: GateRecord
  readonly log: Log
  times(): Times
}

export class Gatekeeper {
  readonly #init: GatekeeperInit
  readonly #cluster: Cluster
  readonly #table = new PodTable()
  readonly #nodes = new NodeGates()
  readonly #turns = new Turns((group) => this.#pass(group))
  readonly #slots = new Slots(IN_FLIGHT_MAX)
  readonly #timers = new Map<string, NodeJS.Timeout>()
  /** What was told last of groups of which nobody else serves. */
  readonly #kept = new Map<string, string>()
  #isStopped = false

  constructor(init: GatekeeperInit) {
    this.#init = init
    this.#cluster = guarded(init.cluster, init.authority, init.times)
  }

  start(): void {
    const { pods, log } = this.#init
    pods.start(
      (news) => this.#look(this.#table.take(news)),
      (error) => log.warn({ err: messageOf(error) }, 'pods with a readiness gate of ours are not seen'),
    )
  }

  /** Nodes as they were read or written just now; `isAll`: there are no others. */
  saw(nodes: readonly NodeObject[], isAll: boolean): void {
    if (isAll) this.#nodes.keep(nodes)
    const changed = this.#nodes.saw(nodes)
    if (changed.size > 0) this.#look(this.#table.groupsOn(changed))
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#init.pods.stop()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    await this.#turns.stop()
  }

  #look(groups: Iterable<string>): void {
    if (!this.#isStopped) for (const group of groups) this.#turns.take(group)
  }

  async #pass(group: string): Promise<void> {
    clearTimeout(this.#timers.get(group))
    this.#timers.delete(group)
    try {
      await this.#readNodes(group)
      const { writes, kept } = this.#decide(group)
      const results = await Promise.allSettled(writes.map((write) => this.#slots.run(() => this.#write(write))))
      const done = writes.filter((_, index) => wasDone(results[index]))
      this.#tell(group, done, kept)
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    } catch (error) {
      this.#failed(group, error)
    }
  }

  /** A pod that waits for its gate must not wait for the next time that all nodes are read. */
  async #readNodes(group: string): Promise<void> {
    const waiting = this.#table.group(group).filter(({ gate, isGoing, declaresGate }) => {
      return declaresGate && !isGoing && gate?.isOpen !== true
    })
    const unknown = new Set(waiting.map(({ node }) => node).filter((node) => this.#nodes.of(node) === undefined))
    unknown.delete('')
    for (const name of unknown) {
      const node = await this.#slots.run(() => this.#cluster.node(name))
      if (node !== undefined) this.saw([node], false)
    }
  }

  #decide(group: string) {
    return decideGates(this.#table.group(group), (node) => this.#nodes.of(node), this.#table.isWhole)
  }

  /** Whether it was carried out; what somebody else wrote first is told, and decided anew. Throws. */
  async #write(write: GateWrite): Promise<boolean> {
    if (this.#isStopped) return false
    const { namespace, name, version, node } = write.pod
    const target = { metadata: { namespace, name, resourceVersion: version }, spec: { nodeName: node } }
    try {
      const pod = await this.#cluster.patchPodStatus(target, gatePatch(write, this.#init.times().now))
      this.#table.take({ kind: 'pod', pod })
      return true
    } catch (error) {
      if (error instanceof ApiError && (error.kind === 'conflict' || error.kind === 'not-found')) return false
      throw error
    }
  }

  #tell(group: string, done: readonly GateWrite[], kept: readonly GatedPod[]): void {
    const { record } = this.#init
    const closed = done.filter(({ isOpen }) => !isOpen).map(({ pod }) => pod)
    const opened = done.filter(({ isOpen, pod }) => isOpen && pod.gate?.isOpen === false).map(({ pod }) => pod)
    for (const gates of this.#byNode(group, closed)) record.wroteGates('closed', gates)
    for (const gates of this.#byNode(group, opened)) record.wroteGates('opened', gates)
    const keptGates = this.#byNode(group, kept)
    const text = JSON.stringify(keptGates.map(({ node, reason }) => [node, reason]))
    if (keptGates.length === 0) this.#kept.delete(group)
    else if (this.#kept.get(group) !== text) {
      for (const gates of keptGates) record.keptGates(gates)
      this.#kept.set(group, text)
    }
  }

  #byNode(group: string, pods: readonly GatedPod[]): readonly GatesOfNode[] {
    const names = new Map<string, string[]>()
    for (const { node, name } of pods) names.set(node, [...(names.get(node) ?? []), name])
    return [...names].map(([node, ofNode]) => {
      const gate = this.#nodes.of(node)
      const why =
        gate?.kind === 'closed' ? { reason: gate.reason, cause: gate.cause } : { reason: '', cause: undefined }
      return { node, group, pods: ofNode.toSorted(), ...why }
    })
  }

  #failed(group: string, error: unknown): void {
    const { log } = this.#init
    if (!(error instanceof ApiError || error instanceof NotLeading || isOfJournal(error))) throw error
    log.warn({ group, err: messageOf(error) }, 'readiness gates not written')
    const needsPerson = error instanceof ApiError && (error.kind === 'forbidden' || error.kind === 'refused')
    const asked = error instanceof ApiError ? (error.retryAfterMs ?? RETRY_MS) : RETRY_MS
    const inMs = needsPerson ? RETRY_MS_MAX : Math.min(asked, RETRY_MS_MAX)
    if (!this.#isStopped)
      this.#timers.set(
        group,
        setTimeout(() => this.#turns.take(group), inMs),
      )
  }
}

function wasDone(result: PromiseSettledResult<boolean> | undefined): boolean {
  return result?.status === 'fulfilled' && result.value
}
