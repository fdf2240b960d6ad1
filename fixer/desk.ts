/**
 * Decides what is done of what the agent asks for, and has it done: one request at a time, and a line of the log for each.
 * The agent is not trusted: what counts is the aggregators' signature, this process's own clock and its own configuration.
 */
import { randomBytes } from 'node:crypto'
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import { currentMoment, type Moment } from '../common/moment.ts'
import type { Plan, Remediator } from '../remediators/contract.ts'
import type { Hands } from '../remediators/hands.ts'
import { BEGIN_WITHIN_MS, type Permit } from '../remediators/permits.ts'
import type { FixRecords } from './records.ts'
import type { Trust } from './trust.ts'
import { FIXER_VERSION, type FixerAnswer, type FixerRequest } from './wire.ts'

export interface FixerDeskInit {
  readonly node: string
  /** Those that it carries out, and no others. */
  readonly remediators: readonly Remediator[]
  readonly withoutPermit: boolean
  readonly trust: Trust
  readonly records: FixRecords
  readonly hands: Hands
  readonly log: Log
  readonly now?: () => Moment
}

type Apply = Extract<FixerRequest, { kind: 'apply' }>
type Revert = Extract<FixerRequest, { kind: 'revert' }>

/** Nothing was done, and this is why. */
class Refused extends Error {}

/** What a plan is carried out by, once it has been found good. */
interface Grant {
  readonly permit: Permit | null
  /** Of the roster that the permit was checked by. */
  readonly epoch: number
  readonly byMs: number
}

/** An agent asks for one plan at a time; a nonce that it let lie is of no use to it. */
const NONCES_MAX = 16
const NONCE_BYTES = 16
/** What a plugin or the kernel says can be long. */
const WHY_LENGTH_MAX = 1_000

export class FixerDesk {
  readonly #init: FixerDeskInit
  readonly #now: () => Moment
  /** Handed out and not used, by when. In memory alone: with a restart every permit of before is void. */
  readonly #nonces = new Map<string, number>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(init: FixerDeskInit) {
    this.#init = init
    this.#now = init.now ?? currentMoment
  }

  /** Never rejects. */
  answer(request: FixerRequest): Promise<FixerAnswer> {
    const answer = this.#turn.then(() => this.#answer(request))
    this.#turn = answer
    return answer
  }

  #answer(request: FixerRequest): FixerAnswer | Promise<FixerAnswer> {
    switch (request.kind) {
      case 'hello': {
        const { node, remediators } = this.#init
        return { kind: 'hello', version: FIXER_VERSION, node, remediators: remediators.map(({ name }) => name) }
      }
      case 'challenge':
        return { kind: 'challenge', nonce: this.#challenge() }
      case 'apply':
        return this.#logged(request.kind, request.plan.id, (note) => this.#apply(request, note))
      case 'revert':
        return this.#logged(request.kind, request.planId, (note) => this.#revert(request, note))
    }
  }

  #challenge(): string {
    const nonce = randomBytes(NONCE_BYTES).toString('hex')
    const [oldest] = this.#nonces.keys()
    if (this.#nonces.size >= NONCES_MAX && oldest !== undefined) this.#nonces.delete(oldest)
    this.#nonces.set(nonce, this.#now().ms)
    return nonce
  }

  /** `note` adds a field to the line. */
  async #logged(
    what: string,
    plan: string,
    act: (note: (fields: object) => void) => Promise<FixerAnswer>,
  ): Promise<FixerAnswer> {
    let fields: object = { plan }
    const note = (more: object) => {
      fields = { ...fields, ...more }
    }
    const answer = await act(note).catch((error: unknown): FixerAnswer => {
      const why = messageOf(error).slice(0, WHY_LENGTH_MAX)
      return { kind: error instanceof Refused ? 'refused' : 'failed', why }
    })
    const { kind: outcome, ...rest } = answer
    this.#init.log[outcome === 'done' ? 'info' : 'warn']({ ...fields, outcome, ...rest }, `asked to ${what}`)
    return answer
  }

  async #apply({ plan, permit: proof, limitMs }: Apply, note: (fields: object) => void): Promise<FixerAnswer> {
    const { records, hands } = this.#init
    note({ remediator: plan.remediator })
    const { permit, epoch, byMs } = await this.#grantOf(plan, proof)
    note({ permit: permit?.id ?? null })
    const before = records.find(plan.id)
    const begun = { plan, permitId: permit?.id ?? null, state: 'begun', at: this.#now().wall } as const
    await records.put(begun, epoch).catch((error: unknown) => {
      throw new Refused(`it cannot be recorded: ${messageOf(error)}`)
    })
    if (this.#now().ms > byMs) {
      await records.takeBack(plan.id, before)
      throw new Refused('the disk took too long: the permit is void')
    }
    try {
      await hands.apply(plan, permit, limitMs)
    } catch (error) {
      // By name, since a plugin can bring a copy of the class of its own.
      if (!(error instanceof Error && error.name === 'StalePlan')) throw error
      await records.takeBack(plan.id, before)
      return { kind: 'stale', why: error.message.slice(0, WHY_LENGTH_MAX) }
    }
    await records.put({ ...begun, state: 'applied' })
    return { kind: 'done' }
  }

  /** Throws Refused. What it grants is used up with it. */
  async #grantOf(plan: Plan, proof: Uint8Array | null): Promise<Grant> {
    const { node, records } = this.#init
    if (plan.node !== node) throw new Refused(`the plan is for ${plan.node}, and this is ${node}`)
    const remediator = this.#remediatorOf(plan)
    if (proof === null) {
      this.#requireHarmless(remediator)
      return { permit: null, epoch: records.epoch, byMs: Number.POSITIVE_INFINITY }
    }
    const { permit, epoch } = await this.#init.trust.permitIn(proof, records.epoch).catch((error: unknown) => {
      throw new Refused(messageOf(error))
    })
    if (permit.node !== node) throw new Refused(`the permit is for ${permit.node}`)
    if (permit.planId !== plan.id || permit.planHash !== plan.planHash) {
      throw new Refused('the permit is for another plan')
    }
    if (permit.evidenceHash !== plan.evidenceHash) throw new Refused('the permit was given on other evidence')
    const handedOutMs = this.#nonces.get(permit.nonce)
    if (handedOutMs === undefined) throw new Refused('the permit answers no nonce that is open: it was used, or is old')
    const byMs = handedOutMs + BEGIN_WITHIN_MS
    this.#nonces.delete(permit.nonce)
    if (this.#now().ms > byMs) throw new Refused('the permit is too old')
    return { permit, epoch, byMs }
  }

  #remediatorOf(plan: Pick<Plan, 'remediator'>): Remediator {
    const remediator = this.#init.remediators.find(({ name }) => name === plan.remediator)
    if (remediator === undefined) throw new Refused(`${plan.remediator} is not among the remediators of the fixer`)
    return remediator
  }

  /** By what the remediator is here, whatever the plan says of it. */
  #requireHarmless({ name, reach, reversible, risk }: Remediator): void {
    if (!this.#init.withoutPermit) throw new Refused('nothing is done here without a permit')
    if (reach === 'none' && reversible && risk !== 'dangerous') return
    throw new Refused(`${name} is nothing to be done without a permit`)
  }

  /** Also of one that is not among its remediators any more: then it says so, and a person is needed. */
  async #revert({ planId, limitMs }: Revert, note: (fields: object) => void): Promise<FixerAnswer> {
    const { records, hands } = this.#init
    const record = records.find(planId)
    if (record === undefined) throw new Refused('the fixer has begun no such plan')
    note({ remediator: record.plan.remediator, permit: record.permitId })
    if (record.state === 'put-back') return { kind: 'done' }
    await hands.revert(record.plan, limitMs)
    await records.put({ ...record, state: 'put-back' })
    return { kind: 'done' }
  }
}
