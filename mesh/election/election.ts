/**
 * Who leads, decided by a Lease: the part of one replica, as a step machine without clock, chance or I/O of its own. A
 * replica takes the Lease only when nobody holds it and the mesh has just answered it, keeps it only while the mesh does,
 * and may write only for a while after its last renewal (docs/protocol.md section 6).
 */
import type { Millis } from '../core/model.ts'
import { Holding } from './holding.ts'
import type { ElectionEffect, ElectionInput, Lease, Write } from './model.ts'
import { Renewals } from './renewals.ts'
import { Requests } from './requests.ts'
import { drainMs, type ElectionTiming } from './timing.ts'

export interface ElectionOptions {
  /** This life of this replica; no other has ever had the name. */
  readonly holder: string
  readonly timing: ElectionTiming
  /** The latest that this replica has on record; 0 for none. */
  readonly term: number
  /** Uniform in [0, 1). */
  random(): number
}

const NEVER = Number.POSITIVE_INFINITY

/** Canvasses in a row that reached too few, before people are told. */
const FAILURES_MAX = 3

/**
 * `leads` and `leaves`: it holds the Lease. Who leaves writes nothing any more, and gives the Lease up when what it has sent
 * is over. `claims`: its claim is under way.
 */
type Phase = 'standsBy' | 'canvasses' | 'claims' | 'leads' | 'leaves' | 'stopped'

export class Election {
  readonly renewals = new Renewals()
  readonly #options: ElectionOptions
  readonly #holding: Holding
  readonly #requests = new Requests()
  #effects: ElectionEffect[] = []
  #phase: Phase = 'standsBy'
  /** Of its canvass or leadership. */
  #term = 0
  /** In the Lease when it canvassed. */
  #termBefore = 0
  /** The latest that anybody is known to have called the roll under. */
  #latestTerm: number
  /** The latest reading was answered. */
  #isRead = false
  /** Somebody else wrote the Lease, and it was not read since. */
  #isInDoubt = false
  #knocking = false
  #stopping = false
  #failures = 0
  #isTold = false
  #readAt: Millis
  #knockAt: Millis
  #renewAt = NEVER
  #leaveAt = NEVER
  #canvassAt = Number.NEGATIVE_INFINITY
  #canvassEndsAt = NEVER
  #spreadMs: Millis

  constructor(now: Millis, options: ElectionOptions) {
    this.#options = options
    this.#spreadMs = options.timing.spreadMs * options.random()
    this.#holding = new Holding(now, options.timing)
    this.#latestTerm = options.term
    this.#readAt = now
    this.#knockAt = now
  }

  get leads(): boolean {
    return this.#phase === 'leads'
  }

  /** It has been stopped, and holds nothing any more. */
  get isStopped(): boolean {
    return this.#phase === 'stopped'
  }

  /** Of this leadership, or of the latest canvass or leadership. */
  get term(): number {
    return this.#term
  }

  /** Whether this process may write to the API server, asked right before it does: a pause ends it without any step. */
  mayWrite(now: Millis): boolean {
    return this.leads && !this.#isInDoubt && now - this.renewals.lastAt < this.#options.timing.writeMs
  }

  /** When to step with a tick at the latest. */
  get nextAt(): Millis {
    if (this.#phase === 'canvasses') return this.#canvassEndsAt
    if (this.#phase === 'standsBy') return Math.min(this.#nextKnockAt, this.#nextRequestAt)
    if (this.#requests.isBusy) return NEVER
    if (this.#phase === 'leads') return this.#isInDoubt ? this.#readAt : this.#renewAt
    return this.#phase === 'leaves' ? this.#leaveAt : NEVER
  }

  step(now: Millis, input: ElectionInput): readonly ElectionEffect[] {
    this.#take(now, input)
    this.#act(now)
    return this.#effects.splice(0)
  }

  #take(now: Millis, input: ElectionInput): void {
    switch (input.kind) {
      case 'tick':
        return
      case 'read':
        this.#readAt = now + this.#options.timing.readMs
        this.#seen(now, input.lease)
        return
      case 'readFailed':
        this.#requests.readFailed()
        this.#isRead = false
        this.#readAt = now + this.#options.timing.retryMs
        return
      case 'written':
        this.#written(now, input.version)
        return
      case 'conflict':
        this.#conflict(now)
        return
      case 'writeFailed':
        this.#writeFailed(now)
        return
      case 'reach':
        if (input.term === this.#term) this.#reached(now, input)
        return
      case 'called':
        this.#called(now, input.term)
        return
      case 'knocked':
        this.#knocking = false
        this.#holding.knocked(now, input.holder, input.answer)
        this.#knockAt = now + this.#options.timing.knockMs / (this.#holding.isRefused ? 4 : 1)
        return
      case 'stop':
        this.#stopping = true
        if (this.leads) this.#leave(now, 'this process ends')
        return
    }
  }

  /** Does what is due. */
  #act(now: Millis): void {
    if (this.#stopping && (this.#phase === 'standsBy' || this.#phase === 'canvasses')) this.#phase = 'stopped'
    switch (this.#phase) {
      case 'stopped':
      case 'claims':
        return
      case 'leads':
        if (this.#requests.isBusy) return
        if (this.#isInDoubt && now >= this.#readAt) this.#read()
        else if (!this.#isInDoubt && now >= this.#renewAt) this.#write(now, 'renewal')
        return
      case 'leaves':
        if (!this.#requests.isBusy && now >= this.#leaveAt) this.#write(now, 'release')
        return
      case 'canvasses':
        if (now < this.#canvassEndsAt) return
        this.#phase = 'standsBy'
        break
      case 'standsBy':
        break
    }
    this.#standBy(now)
  }

  #standBy(now: Millis): void {
    if (now >= this.#nextKnockAt) {
      this.#knocking = true
      this.#effects.push({ kind: 'knock', holder: this.#holding.lease?.holder ?? '' })
    }
    if (this.#requests.isBusy) return
    if (now >= this.#readAt) this.#read()
    else if (this.#isRead && now >= this.#freeFrom) this.#canvass(now)
  }

  #read(): void {
    this.#requests.reads()
    this.#effects.push({ kind: 'read' })
  }

  #canvass(now: Millis): void {
    this.#phase = 'canvasses'
    this.#termBefore = this.#holding.lease?.term ?? 0
    this.#term = Math.max(this.#latestTerm, this.#termBefore) + 1
    this.#canvassEndsAt = now + this.#options.timing.requestMs
    this.#canvassLater(now)
    this.#effects.push({ kind: 'canvass', term: this.#term })
  }

  #write(now: Millis, purpose: Write['purpose']): void {
    const claim = { holder: purpose === 'release' ? '' : this.#options.holder, term: this.#term }
    const over = this.#holding.lease?.version
    this.#requests.writes({ purpose, claim, over, sentAt: now })
    this.#effects.push({ kind: 'write', claim, over })
  }

  #written(now: Millis, version: string): void {
    const write = this.#requests.written()
    if (write === undefined) return
    this.#holding.seen(now, { ...write.claim, version })
    this.#carriedOut(now, write, version)
  }

  /** A write of this replica's own is known to have been carried out. */
  #carriedOut(now: Millis, { purpose, claim, sentAt }: Write, version: string): void {
    if (purpose === 'release' && this.#phase === 'leaves') this.#phase = 'standsBy'
    if (claim.term !== this.#term) return
    if (purpose === 'renewal' && this.leads) this.#renewed(version, sentAt)
    const isOpen = this.#phase === 'claims' || this.#phase === 'standsBy'
    if (purpose === 'claim' && isOpen) this.#won(now, version, sentAt)
  }

  #won(now: Millis, version: string, sentAt: Millis): void {
    if (this.#stopping) {
      this.#phase = 'leaves'
      this.#leaveAt = sentAt
      return
    }
    this.#phase = 'standsBy'
    // The word of it came late, or another replica has called the roll since: it is held for the next canvass at most.
    if (now - sentAt >= this.#options.timing.writeMs || this.#latestTerm > this.#term) {
      this.#readNow(now)
      return
    }
    this.#phase = 'leads'
    this.#isInDoubt = false
    this.#renewed(version, sentAt)
    this.#effects.push({ kind: 'lead', term: this.#term, after: this.#termBefore })
    this.#qualifies()
  }

  #renewed(version: string, sentAt: Millis): void {
    this.renewals.note(version, sentAt)
    this.#renewAt = sentAt + this.#options.timing.renewMs
  }

  #writeFailed(now: Millis): void {
    const write = this.#requests.writeFailed()
    this.#renewAt = now + this.#options.timing.retryMs
    if (this.#phase === 'claims') this.#readNow(now)
    if (write?.purpose === 'release') this.#phase = 'standsBy'
  }

  #conflict(now: Millis): void {
    this.#requests.conflict()
    this.#isInDoubt = this.leads
    this.#canvassLater(now)
    this.#readNow(now)
  }

  #readNow(now: Millis): void {
    if (!this.leads) this.#phase = 'standsBy'
    this.#readAt = now
  }

  #seen(now: Millis, lease: Lease | undefined): void {
    this.#holding.seen(now, lease)
    this.#isRead = true
    this.#latestTerm = Math.max(this.#latestTerm, lease?.term ?? 0)
    if (this.#isForeign && now < this.#holding.freeFrom(this.#options.holder)) this.#qualifies()
    const write = this.#requests.read(lease)
    if (write !== undefined && lease !== undefined) this.#carriedOut(now, write, lease.version)
    this.#isInDoubt = false
    const isHeld = lease?.holder === this.#options.holder && lease.term === this.#term
    if (this.leads && !isHeld)
      this.#resign(now, 'standsBy', `the Lease is ${lease?.holder ? `held by ${lease.holder}` : 'gone'}`)
  }

  #reached(now: Millis, { holds, present, live }: Extract<ElectionInput, { kind: 'reach' }>): void {
    if (this.leads && !holds) this.#leave(now, `only ${present} of ${live} live members answer`)
    if (this.#phase !== 'canvasses') return
    if (holds) {
      this.#phase = 'claims'
      this.#write(now, 'claim')
      return
    }
    this.#phase = 'standsBy'
    if (++this.#failures < FAILURES_MAX || this.#isTold) return
    this.#isTold = true
    this.#effects.push({ kind: 'notice', notice: { kind: 'noQuorumLeader', open: true, present, live } })
  }

  #called(now: Millis, term: number): void {
    this.#latestTerm = Math.max(this.#latestTerm, term)
    if (term <= this.#term || this.#phase === 'claims' || this.#phase === 'leaves') return
    // Whoever calls may be about to take the Lease.
    this.#canvassLater(now)
    if (this.leads) this.#resign(now, 'standsBy', `another replica calls the roll, term ${term}`)
    this.#readNow(now)
  }

  /** Leads no more of its own accord, and gives the Lease up. */
  #leave(now: Millis, why: string): void {
    this.#resign(now, 'leaves', why)
    this.#leaveAt = now + drainMs(this.#options.timing)
  }

  #resign(now: Millis, phase: 'leaves' | 'standsBy', why: string): void {
    this.#phase = phase
    this.#canvassLater(now)
    this.#effects.push({ kind: 'standBy', why })
  }

  /** Somebody leads: what was told of nobody is over. */
  #qualifies(): void {
    this.#failures = 0
    if (this.#isTold) this.#effects.push({ kind: 'notice', notice: { kind: 'noQuorumLeader', open: false } })
    this.#isTold = false
  }

  #canvassLater(now: Millis): void {
    const { timing, random } = this.#options
    this.#canvassAt = now + timing.canvassRetryMs * (1 + random() / 2)
    this.#spreadMs = timing.spreadMs * random()
  }

  /** When this replica canvasses, if nothing new is heard until then. */
  get #freeFrom(): Millis {
    return Math.max(this.#holding.freeFrom(this.#options.holder) + this.#spreadMs, this.#canvassAt)
  }

  get #nextKnockAt(): Millis {
    return this.#isForeign && !this.#knocking ? this.#knockAt : NEVER
  }

  /** The next reading or canvass of a replica that stands by. */
  get #nextRequestAt(): Millis {
    if (this.#requests.isBusy) return NEVER
    return this.#isRead ? Math.min(this.#readAt, this.#freeFrom) : this.#readAt
  }

  /** Whether somebody else holds the Lease, living or not. */
  get #isForeign(): boolean {
    const holder = this.#holding.lease?.holder ?? ''
    return holder !== '' && holder !== this.#options.holder
  }
}
