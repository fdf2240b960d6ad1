/**
 * Makes Nodes and pods show what stands against them, and undoes it. A reconciler: each pass reads the Node, asks the rules
 * in marking/ and carries out the difference, so that whatever was left half done, by whomever, is finished or undone.
 */

import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Standing } from '../../mesh/core/model.ts'
import type { Marking } from '../../settings/marking.ts'
import { isOfJournal } from '../store/refusal.ts'
import { ApiError, pauseOf } from './api-error.ts'
import type { Authority } from './authority.ts'
import { carryOut, type Written } from './carry-out.ts'
import { Caution } from './caution.ts'
import { type Cluster, guarded, NotLeading } from './cluster.ts'
import { type Desired, desiredMarks, isNothing, nothingDesired } from './marking/desired.ts'
import { whyLeaving } from './marking/leaving.ts'
import { hasOwnMarks, hasOwnReady, hasOwnTaint } from './marking/node-marks.ts'
import { type NodeObject, poolOf } from './marking/objects.ts'
import { isMarkedByOthers, showsHung, showsLife, verdictOn } from './marking/shown.ts'
import { PodWriter } from './pod-writer.ts'
import type { KnownVerdict, MarkCause, MarkRecord } from './record.ts'
import { Slots } from './slots.ts'
import type { Times } from './times.ts'
import { Turns } from './turns.ts'
import { leaseSecondsOf, type Witness } from './witness.ts'

/** docs/protocol.md section 6: while marked, the Lease is read again; all our marks are gone through. */
const REREAD_MS = 5_000
const REPAIR_FIRST_MS = 5_000
const REPAIR_MS = 60_000

/** docs/kubernetes.md: 100 pods took 375 ms so, and the API server has other clients. */
const PODS_IN_FLIGHT_MAX = 16

/** A verdict this young is written without asking again, whatever goes wrong at first. */
const FRESH_MS = 5_000
const RETRY_MS = 500
const RETRY_OLD_MS = 2_000
const RETRY_MS_MAX = 30_000

export interface MarkerInit {
  readonly cluster: Cluster
  readonly authority: Authority
  readonly witness: Pick<Witness, 'hasRenewed'>
  readonly record: MarkRecord
  readonly log: Log
  marking(): Marking
  findingsOf(node: string): readonly Finding[]
  /** Its kubelet lives: the verdict is of a node that is cut off from its peers alone. */
  lives(node: string): void
  /** What stands against it could not be written for too long: the mesh is to be asked again before it is. */
  askAfresh(node: string): void
  /** Monotonic, ms. */
  now(): number
  /** Of the calendar, to be written. */
  times(): Times
}

/** What this process knows and did of one node. */
interface Entry {
  verdict: KnownVerdict | undefined
  readonly pods: PodWriter
  isReadyWritten: boolean
  arePodsWritten: boolean
  /** One event on the Node at a verdict, one at its end. */
  isTold: boolean
  /** All that its verdict wants is written. */
  isDone: boolean
  /** The cluster did not answer since its verdict came. */
  hasFailed: boolean
  /** The last that findings wanted, so that a report without news reads nothing. */
  findingsWant: string
  timer: NodeJS.Timeout | undefined
}

export class Marker {
  readonly #init: MarkerInit
  readonly #cluster: Cluster
  readonly #entries = new Map<string, Entry>()
  readonly #turns = new Turns((node) => this.#pass(node))
  readonly #caution: Caution
  readonly #slots = new Slots(PODS_IN_FLIGHT_MAX)
  readonly #timers: NodeJS.Timeout[] = []
  #isStopped = false

  constructor(init: MarkerInit) {
    this.#init = init
    this.#cluster = guarded(init.cluster, init.authority, init.times)
    this.#caution = new Caution(init.cluster, init.now)
  }

  /** Takes over: `standing` are the verdicts on record; our marks that none of them explains are undone. */
  start(standing: readonly KnownVerdict[]): void {
    for (const verdict of standing) this.convicted(verdict)
    const first = setTimeout(() => void this.repair(), REPAIR_FIRST_MS)
    const repair = setInterval(() => void this.repair(), REPAIR_MS)
    const reread = setInterval(() => this.#reread(), REREAD_MS)
    this.#timers.push(first, repair, reread)
    void this.repair()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    for (const { timer } of this.#entries.values()) clearTimeout(timer)
    await this.#turns.stop()
  }

  /** A verdict is on record; or turned out to be of a node that is Isolated. */
  convicted(verdict: KnownVerdict): void {
    const { subject, verdictId } = verdict.standing
    const entry = this.#entry(subject)
    if (entry.verdict?.standing.verdictId !== verdictId) {
      Object.assign(entry, { isReadyWritten: false, arePodsWritten: false, isDone: false, hasFailed: false })
    }
    entry.verdict = verdict
    this.#turns.take(subject)
  }

  isolated(standing: Standing): void {
    const known = this.#entries.get(standing.subject)?.verdict
    this.#caution.forget(standing.subject)
    if (known !== undefined) this.convicted({ ...known, standing })
  }

  ended(node: string): void {
    this.#entry(node).verdict = undefined
    this.#caution.forget(node)
    this.#turns.take(node)
  }

  /** A node said anew what was found on it, or its last word on it expired. */
  reported(node: string): void {
    const want = this.#findingsWant(node)
    if (want === (this.#entries.get(node)?.findingsWant ?? '')) return
    const entry = this.#entry(node)
    entry.findingsWant = want
    // While a verdict stands, the node is gone through every few seconds.
    if (entry.verdict === undefined) this.#turns.take(node)
  }

  /** Goes through all Nodes: what of ours nothing stands behind is undone. Does nothing where the cluster does not answer. */
  async repair(): Promise<void> {
    try {
      const nodes = await this.#caution.nodes()
      for (const node of nodes) if (hasOwnMarks(node)) this.#turns.take(node.metadata.name)
      const names = new Set(nodes.map(({ metadata }) => metadata.name))
      for (const [node, entry] of this.#entries) {
        if (names.has(node)) this.reported(node)
        // Settings may let show by now what they did not when it was found.
        if (entry.findingsWant !== '') this.#turns.take(node)
        const isIdle = entry.verdict === undefined && entry.findingsWant === '' && entry.timer === undefined
        if (isIdle && !entry.pods.hasMarked) this.#entries.delete(node)
      }
    } catch (error) {
      this.#init.log.warn({ err: messageOf(error) }, 'marks not gone through')
    }
  }

  #reread(): void {
    for (const [node, { verdict }] of this.#entries) if (verdict !== undefined) this.#turns.take(node)
  }

  async #pass(node: string): Promise<void> {
    if (this.#isStopped) return
    const entry = this.#entry(node)
    clearTimeout(entry.timer)
    entry.timer = undefined
    try {
      await this.#reconcile(node, entry)
    } catch (error) {
      this.#failed(node, entry, error)
    }
  }

  async #reconcile(name: string, entry: Entry): Promise<void> {
    const init = this.#init
    const { verdict } = entry
    const node = await this.#cluster.node(name)
    if (node === undefined) return
    if (verdict !== undefined && verdict.standing.kind !== 'Isolated' && (await this.#isAlive(node, verdict, entry))) {
      init.lives(name)
      return
    }
    const cause = await this.#causeOf(node, verdict)
    const wanted = cause.desired
    if (wanted.againInMs !== undefined) this.#again(name, entry, wanted.againInMs)
    const why =
      isNothing(wanted) || verdict === undefined ? undefined : await this.#whyNot(node, entry, verdict, wanted)
    if (verdict !== undefined && isMarkedByOthers(node)) init.record.markedByOthers(cause)
    if (why !== undefined) init.record.withheld(cause, why)
    else if (!isNothing(wanted) && wanted.mode === 'observe') init.record.wouldMark(cause)
    // A verdict that is withheld takes nothing away that findings want.
    const shown = why === undefined ? cause : await this.#causeOf(node, undefined)
    const desired = wanted.mode === 'observe' ? nothingDesired(wanted.mode) : shown.desired
    if (isNothing(desired)) {
      this.#caution.forget(name)
      if (hasOwnMarks(node) || entry.pods.hasMarked) await this.#write(node, entry, { ...shown, desired })
      return
    }
    if (shown.verdict !== undefined && this.#isQueued(entry, shown.verdict)) init.askAfresh(name)
    else await this.#write(node, entry, { ...shown, desired })
  }

  async #causeOf(node: NodeObject, verdict: KnownVerdict | undefined): Promise<MarkCause> {
    const desired = await this.#tainting(node, verdict, await this.#wanted(node, verdict))
    return { node: node.metadata.name, verdict, desired }
  }

  /** What could not be written when it was decided is not written later: the mesh is asked whether it still stands. */
  #isQueued({ hasFailed, isDone }: Entry, { sinceMs }: KnownVerdict): boolean {
    return hasFailed && !isDone && this.#init.now() - sinceMs > FRESH_MS
  }

  async #write(node: NodeObject, entry: Entry, cause: MarkCause): Promise<void> {
    const { record, authority, times, lives } = this.#init
    const { desired } = cause
    // On record before the first of it is written: what is found half done has its cause.
    if (!isNothing(desired)) record.marking(cause)
    const written = await carryOut({
      cluster: this.#cluster,
      node,
      desired,
      pods: entry.pods,
      marksPods: !entry.arePodsWritten,
      writing: () => ({ term: authority.term, times: times() }),
    })
    record.wrote(cause, written)
    await this.#tell(entry, cause, written)
    // Another verdict may have come meanwhile, for which nothing is written yet.
    if (isNothing(desired) || entry.verdict?.standing.verdictId !== cause.verdict?.standing.verdictId) return
    if (desired.ready !== undefined && (written.ready === 'marked' || hasOwnReady(node))) entry.isReadyWritten = true
    if (desired.pods && !written.isAlive) entry.arePodsWritten = true
    entry.isDone = desired.againInMs === undefined && !written.isAlive
    if (written.isAlive) lives(node.metadata.name)
  }

  /** For people who look at the Node; what cannot be said is in our own events anyway. */
  async #tell(entry: Entry, { node, verdict, desired }: MarkCause, written: Written): Promise<void> {
    const isStanding = verdict !== undefined && desired.condition?.cause.kind === 'verdict'
    if (isStanding === entry.isTold || (!isStanding && verdict !== undefined)) return
    entry.isTold = isStanding
    // Whoever led before wrote it, and told it.
    if (isStanding && !written.condition) return
    const at = this.#init.times().now
    const event = isStanding
      ? ({ type: 'Warning', reason: verdict.standing.kind, message: desired.condition?.says ?? '' } as const)
      : ({ type: 'Normal', reason: 'Recovered', message: 'what stood against it has ended: marks undone' } as const)
    await this.#cluster.tell(node, { ...event, at }).catch((error: unknown) => {
      this.#init.log.warn({ subject: node, err: messageOf(error) }, 'no event on the Node')
    })
  }

  async #isAlive(node: NodeObject, verdict: KnownVerdict, entry: Entry): Promise<boolean> {
    if (showsLife(node, verdict.standing, entry.isReadyWritten)) return true
    return (await this.#init.witness.hasRenewed(node.metadata.name, verdict.silentSinceMs)) === true
  }

  async #wanted(node: NodeObject, verdict: KnownVerdict | undefined): Promise<Desired> {
    const init = this.#init
    const { name } = node.metadata
    const marking = init.marking()
    const mode = marking.modeOf(poolOf(node))
    const isHung = verdict?.standing.kind === 'HostHung'
    const leaseSeconds = leaseSecondsOf(isHung ? await this.#cluster.heartbeatOf(name) : undefined)
    const findings = init.findingsOf(name)
    if (verdict === undefined) return desiredMarks({ findings, leaseSeconds }, mode, marking)
    const { standing, says, sinceMs, silentSinceMs } = verdict
    const now = init.now()
    const silentMs = showsHung(node, standing) ? Number.POSITIVE_INFINITY : now - silentSinceMs
    const stands = { standing, says, stoodMs: now - sinceMs, silentMs }
    return desiredMarks({ verdict: stands, findings, leaseSeconds }, mode, marking)
  }

  /** A fault that every node reports, or seems to, must not close the cluster: beyond a share only the condition is written. */
  async #tainting(node: NodeObject, verdict: KnownVerdict | undefined, wanted: Desired): Promise<Desired> {
    if (wanted.taint === undefined || wanted.mode === 'observe' || hasOwnTaint(node)) return wanted
    const { name } = node.metadata
    const why = await this.#caution.whyNoTaint(name)
    if (why === undefined) return wanted
    this.#init.record.withheld({ node: name, verdict, desired: wanted }, why)
    return { ...wanted, taint: undefined }
  }

  /** These keep from marking; what is marked stays so, also when somebody cordons the dead node. */
  async #whyNot(node: NodeObject, entry: Entry, verdict: KnownVerdict, wanted: Desired): Promise<string | undefined> {
    const { isReadyWritten, arePodsWritten } = entry
    if (isReadyWritten || arePodsWritten || hasOwnReady(node)) return undefined
    const leaving = whyLeaving(node)
    const isMarked = verdictOn(node)?.verdictId === verdict.standing.verdictId
    if (leaving !== undefined && !isMarked) return `leaving: ${leaving}`
    if (wanted.ready === undefined && !wanted.pods) return undefined
    return await this.#caution.whyNotReady(node.metadata.name, wanted.mode === 'observe')
  }

  #failed(name: string, entry: Entry, error: unknown): void {
    const { log, record } = this.#init
    const err = messageOf(error)
    // Whoever leads now finds what there is; should that be this process again, it reads everything again.
    if (error instanceof NotLeading) {
      log.info({ subject: name, err }, 'not written')
      return
    }
    const kind = error instanceof ApiError ? error.kind : undefined
    if (kind === undefined && !isOfJournal(error)) throw error
    log.warn({ subject: name, verdict: entry.verdict?.standing.verdictId, err }, 'marking failed')
    if (kind !== undefined) record.failed(kind)
    if (error instanceof ApiError && kind === 'throttled') this.#turns.pause(name, pauseOf(error))
    else if (kind === 'forbidden' || kind === 'refused') this.#again(name, entry, RETRY_MS_MAX)
    else {
      entry.hasFailed = true
      const sinceMs = entry.verdict?.sinceMs ?? Number.NEGATIVE_INFINITY
      this.#again(name, entry, this.#init.now() - sinceMs < FRESH_MS ? RETRY_MS : RETRY_OLD_MS)
    }
  }

  #again(name: string, entry: Entry, inMs: number): void {
    clearTimeout(entry.timer)
    if (!this.#isStopped) entry.timer = setTimeout(() => this.#turns.take(name), inMs)
  }

  #findingsWant(node: string): string {
    const known = { findings: this.#init.findingsOf(node), leaseSeconds: 0 }
    const { condition, taint } = desiredMarks(known, 'condition', this.#init.marking())
    return condition === undefined ? '' : `${condition.reason} ${taint} ${JSON.stringify(condition.cause)}`
  }

  #entry(node: string): Entry {
    const known = this.#entries.get(node)
    if (known !== undefined) return known
    const entry: Entry = {
      verdict: undefined,
      pods: new PodWriter({ cluster: this.#cluster, node, slots: this.#slots, now: () => this.#init.times().now }),
      isReadyWritten: false,
      arePodsWritten: false,
      isTold: false,
      isDone: false,
      hasFailed: false,
      findingsWant: '',
      timer: undefined,
    }
    this.#entries.set(node, entry)
    return entry
  }
}
