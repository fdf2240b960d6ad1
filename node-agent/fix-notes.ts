/**
 * What goes to and fro about fixes over the mesh: what this node says of its own and asks the leader for, and what it believes
 * of what aggregators say.
 */
import type { Log } from '../common/log.ts'
import type { FixerHands } from '../fixer/hands.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import type { Remediation } from '../remediators/contract.ts'
import {
  decodeDecision,
  decodePermit,
  decodeRefusal,
  encodeNote,
  isDecisionTopic,
  isPermitTopic,
  isRefusalTopic,
  permitRequestTopic,
} from '../remediators/notes.ts'
import { BEGIN_WITHIN_MS, type PermitRequest } from '../remediators/permits.ts'
import type { Answer, RemediationRoom } from '../remediators/run.ts'
import type { Publisher } from './publisher.ts'

/** Four of the roll-calls that a leader makes when nothing happens (mesh/core/timing.ts, rollCallEveryMs). */
const LED_MS = 20_000

export class FixNotes {
  readonly #node: string
  readonly #publisher: Publisher
  readonly #log: Log
  readonly #fixer: FixerHands | undefined

  /** `fixer`: who must be told of permits as they were signed; left out where nobody is to be believed. */
  constructor(node: string, publisher: Publisher, log: Log, fixer?: FixerHands) {
    this.#node = node
    this.#publisher = publisher
    this.#log = log
    this.#fixer = fixer
  }

  announce(remediation: Remediation): void {
    this.#publisher.remediation(remediation)
  }

  /** A request that takes longer on its way than its answer may be used for is of no use. */
  ask(request: PermitRequest): void {
    this.#publisher.publish(permitRequestTopic(request.planId), encodeNote(request), BEGIN_WITHIN_MS)
  }

  /** Whether a leader was heard of lately. */
  get isLed(): boolean {
    return this.#leader !== undefined
  }

  /** Takes in a note of an aggregator's if it is about a fix; false: it is not. Throws an Error for what no node may believe. */
  hear(room: RemediationRoom, signed: SignedStatement): boolean {
    const { signer, body } = signed.statement
    if (body.kind !== 'note') return false
    const { topic, bytes } = body
    if (isDecisionTopic(topic)) {
      const decision = decodeDecision(bytes)
      this.#take(signer, 'decision', decision.id, decision.node, () => room.onDecision(decision))
    } else if (isPermitTopic(topic)) {
      const permit = decodePermit(bytes)
      if (permit.node === this.#node) this.#fixer?.keep(permit.id, signed)
      this.#take(signer, 'permit', permit.id, permit.node, () => room.onPermit(permit))
    } else if (isRefusalTopic(topic)) {
      const refusal = decodeRefusal(bytes)
      this.#take(signer, 'refusal', refusal.nonce, refusal.node, () => room.onRefusal(refusal))
    } else {
      return false
    }
    return true
  }

  #take(signer: string, what: string, id: string, node: string, take: () => Promise<Answer>): void {
    if (node !== this.#node) return
    const leader = this.#leader
    if (leader !== undefined && signer !== leader) throw new Error(`a ${what} of ${signer}, but ${leader} leads`)
    void take().then((answer) => this.#log.info({ [what]: id, ...answer }, what))
  }

  /** Undefined while nobody was heard of lately. */
  get #leader(): string | undefined {
    const mesh = this.#publisher.mesh
    const { leader, heardAt } = mesh?.follows ?? {}
    return mesh !== undefined && heardAt !== undefined && mesh.now() - heardAt <= LED_MS ? leader : undefined
  }
}
