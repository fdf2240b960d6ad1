/**
 * Keeps an object for each remediation that a person may look at, and takes what people decide by them, while this process
 * leads. One thing is written at a time, the most urgent first; nobody waits for it.
 */
import { messageOf, StarlingError } from '../../../common/errors.ts'
import type { Log } from '../../../common/log.ts'
import type { Remediation } from '../../../remediators/contract.ts'
import type { DecisionRequest } from '../../remediation-model.ts'
import { ApiError, pauseOf } from '../api-error.ts'
import type { ObjectStore } from './object-store.ts'
import { agenda, isSaid } from './rules/agenda.ts'
import { judge } from './rules/decision.ts'
import { isSame } from './rules/is-same.ts'
import { KIND, type RemediationObject } from './rules/object.ts'
import { type Shown, shownOf } from './rules/shown.ts'
import { decisionIdOf } from './rules/tokens.ts'
import type { Answer, Write } from './rules/writes.ts'

/** Five a second (docs/contracts.md). */
const WRITE_MS = 200
/** What goes by time alone: what is too old, and what could not be written. */
const AGAIN_MS = 60_000
/** What ended earlier has no object any more. */
const SHOWN_MS = 7 * 86_400_000
/** Figures in the text of a refusal change each time that a node asks again. */
const TEXTS_MS = 600_000
/** Somebody wrote first, or it is gone: what is watched says so in a moment. */
const BEATEN_MS = 1_000
/** Decisions that were answered, so that none is taken twice. */
const ANSWERED_MAX = 1_000

export interface RemediationDeskInit {
  readonly store: ObjectStore
  readonly log: Log
  /** Monotonic and wall clock, ms. */
  now(): number
  wallNow(): number
}

/** What it needs of the running aggregator. */
export interface RemediationDeskSide {
  /** This aggregator leads, and may write. */
  leads(): boolean
  /** It has led for long enough to have heard what nodes say. */
  isSettled(): boolean
  /** Settings let objects decide. */
  isOn(): boolean
  /** The last that was said of each plan. */
  all(): readonly Remediation[]
  /** As a decision by page or command line. Throws StarlingError when the plan waits for none. */
  decide(request: DecisionRequest, by: string): unknown
}

export class RemediationDesk {
  readonly #init: RemediationDeskInit
  readonly #side: RemediationDeskSide
  /** By decision. */
  readonly #answered = new Map<string, Answer>()
  /** By object, what is not said there yet. */
  readonly #unsaid = new Map<string, Answer>()
  /** By object, when it was written last, what, and which version came of it. */
  readonly #written = new Map<string, { readonly atMs: number; readonly write: Write; readonly version: string }>()
  /** By object, until when it is left alone; of the empty name all. */
  readonly #restUntil = new Map<string, number>()
  #shown = new WeakMap<Remediation, Shown>()
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isWorking = false
  #isFollowing = false
  #isStopped = false

  constructor(init: RemediationDeskInit, side: RemediationDeskSide) {
    this.#init = init
    this.#side = side
    this.look()
  }

  /** Something may have changed. */
  look(): void {
    this.#lookIn(WRITE_MS)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#rest()
  }

  #lookIn(ms: number): void {
    const at = this.#init.now() + ms
    if (this.#isStopped || at >= this.#dueAt) return
    this.#dueAt = at
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#turn(), ms)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY
    if (this.#isWorking) return this.look()
    this.#isWorking = true
    this.#lookIn(AGAIN_MS)
    try {
      if (this.#side.leads()) await this.#step()
      else this.#rest()
    } catch (error) {
      this.#init.log.error({ err: messageOf(error) }, 'remediations are not shown as objects')
    }
    this.#isWorking = false
  }

  /** Whoever leads now decides what is written. */
  #rest(): void {
    if (this.#isFollowing) this.#init.store.stop()
    this.#isFollowing = false
    this.#unsaid.clear()
    this.#written.clear()
  }

  async #step(): Promise<void> {
    const { store, log } = this.#init
    if (!this.#isFollowing) store.start(() => this.look())
    this.#isFollowing = true
    const { objects } = store
    if (objects === undefined) return
    const all = new Map(this.#side.all().map((remediation) => [remediation.plan.id, remediation]))
    for (const object of objects.values()) this.#hear(object, all.get(object.metadata.name))
    for (const [name, answer] of this.#unsaid) {
      const object = objects.get(name)
      if (object === undefined || isSaid(object, answer)) this.#unsaid.delete(name)
    }
    const write = this.#mostUrgent(objects, all)
    if (write === undefined) return
    this.look()
    try {
      await store.write(write)
      const version = store.objects?.get(write.name)?.metadata.resourceVersion
      if (version === undefined) this.#written.delete(write.name)
      else this.#written.set(write.name, { atMs: this.#init.now(), write, version })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.#failed(write, error)
      log.info({ plan: write.name, err: error.message }, 'an object was not written')
    }
  }

  /** Takes what a person decided by this object, once. */
  #hear(object: RemediationObject, remediation: Remediation | undefined): void {
    const { name } = object.metadata
    if (object.spec?.decision === undefined) return
    const id = decisionIdOf(object)
    const answer = this.#answered.get(id) ?? this.#answerTo(object, remediation)
    if (answer === undefined) {
      this.#unsaid.delete(name)
      return
    }
    this.#answered.set(id, answer)
    for (const oldest of this.#answered.keys()) if (this.#answered.size > ANSWERED_MAX) this.#answered.delete(oldest)
    this.#unsaid.set(name, answer)
  }

  /** Undefined: it cannot be told yet. */
  #answerTo(object: RemediationObject, remediation: Remediation | undefined): Answer | undefined {
    const { leads, isOn, isSettled, decide } = this.#side
    const { log, wallNow } = this.#init
    const { name } = object.metadata
    const shown = remediation && this.#shownOf(remediation)
    const judged = judge(object, { remediation, shown, isOn: isOn(), isSettled: isSettled() })
    const lastTransitionTime = new Date(wallNow()).toISOString()
    const refused = (reason: string, message: string): Answer => {
      log.warn({ plan: name, reason, why: message }, 'a decision by an object was not taken')
      return { status: 'False', reason, message, lastTransitionTime }
    }
    if (judged.kind === 'none' || judged.kind === 'later' || !leads()) return undefined
    if (judged.kind === 'void') return refused(judged.reason, judged.why)
    const { id, action, reason } = judged
    try {
      if (judged.kind === 'take') {
        decide({ id, planId: name, action, reason, via: 'kubernetes' }, `kubernetes:${KIND.toLowerCase()}/${name}`)
      }
    } catch (error) {
      // What could not be put on record was not sent either: it is tried again.
      if (!(error instanceof StarlingError)) {
        log.error({ plan: name, err: messageOf(error) }, 'a decision by an object cannot be put on record')
        return undefined
      }
      return refused('NotTaken', error.message)
    }
    const message = reason === '' ? 'it goes to the node' : reason
    return { status: 'True', reason: action === 'approve' ? 'Approved' : 'Rejected', message, lastTransitionTime }
  }

  #mostUrgent(
    objects: ReadonlyMap<string, RemediationObject>,
    all: ReadonlyMap<string, Remediation>,
  ): Write | undefined {
    const now = this.#init.now()
    const isResting = (name: string) => (this.#restUntil.get(name) ?? 0) > now
    if (isResting('')) return undefined
    const since = new Date(this.#init.wallNow() - SHOWN_MS).toISOString()
    const writes = agenda({
      ...{ objects, all, since, unsaid: this.#unsaid, isSettled: this.#side.isSettled() },
      shownOf: (remediation) => this.#shownOf(remediation),
      withTexts: (name) => now - (this.#written.get(name)?.atMs ?? Number.NEGATIVE_INFINITY) >= TEXTS_MS,
    })
    for (const write of writes) if (!isResting(write.name) && !this.#isInVain(write, objects)) return write
    return undefined
  }

  /** It was written, and the server did not keep it: its definition of the object is another. */
  #isInVain(write: Write, objects: ReadonlyMap<string, RemediationObject>): boolean {
    const last = this.#written.get(write.name)
    const version = objects.get(write.name)?.metadata.resourceVersion
    return last !== undefined && last.version === version && isSame(last.write, write)
  }

  #failed({ name }: Write, error: ApiError): void {
    const { kind } = error
    const isOfOne = kind === 'conflict' || kind === 'not-found' || kind === 'refused'
    const isBeaten = kind === 'conflict' || kind === 'not-found'
    const ms = isBeaten ? BEATEN_MS : kind === 'refused' || kind === 'forbidden' ? AGAIN_MS : pauseOf(error)
    const now = this.#init.now()
    for (const [rested, until] of this.#restUntil) if (until <= now) this.#restUntil.delete(rested)
    this.#restUntil.set(isOfOne ? name : '', now + ms)
    this.#lookIn(ms)
  }

  #shownOf(remediation: Remediation): Shown {
    const known = this.#shown.get(remediation)
    if (known !== undefined) return known
    const shown = shownOf(remediation)
    this.#shown.set(remediation, shown)
    return shown
  }
}
