/**
 * Where nodes ask whether they may begin. While this aggregator leads it answers each request once: it reads the record and
 * the cluster as they are at that moment, asks all guards, writes a permit into the record, puts the answer into the history,
 * and only then sends it.
 */
import { randomUUID } from 'node:crypto'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { retryAfterMs } from '../../remediators/guards/index.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import {
  decodePermitRequest,
  encodeNote,
  isPermitRequestTopic,
  isRemediationTopic,
  permitTopic,
  refusalTopic,
} from '../../remediators/notes.ts'
import { BEGIN_WITHIN_MS, type GuardVerdict, type PermitRequest, type Refusal } from '../../remediators/permits.ts'
import { EventBudget } from '../event-budget.ts'
import { countedWith } from '../four-eyes.ts'
import type { Person } from '../people.ts'
import { type Book, type Ended, withGrant } from './book.ts'
import type { BudgetUse } from './budget-use.ts'
import type { Asked } from './checks.ts'
import { type Decided, decide } from './decide.ts'
import { type Ledger, NotLeading } from './ledger.ts'
import type { SettledRules } from './mode.ts'
import type { Outlook } from './outside.ts'
import { isAfter, positionOf } from './position.ts'
import { Requests } from './requests.ts'
import type { Said } from './said.ts'
import { settle } from './settle.ts'
import type { Answer, PermitStory } from './story.ts'
import type { MeshNow } from './view.ts'

/**
 * Who begins to lead hears within this what members have to say: until then it takes faults for fewer than they are, and
 * lets those that ask wait. Half of what they wait for an answer (BEGIN_WITHIN_MS).
 */
const SETTLE_MS = 15_000

/** A record that could not be written is tried again, for as long as this aggregator leads. */
const AGAIN_MS = 5_000

/** As many plans as a mesh of some thousand nodes asks about at once; who is not heard asks again. */
const WAITING_MAX = 1_000

/** What an error says can be long; a refusal carries no more. */
const WHY_CHARS_MAX = 1_000

export interface DeskInit {
  readonly ledger: Ledger
  readonly story: PermitStory
  readonly log: Log
  guards(): GuardSettings
  /** Who is known by name now. */
  people(): readonly Person[]
  /** Of each version of the settings that the node may be running. */
  settled(node: string): readonly SettledRules[]
  /** As it is at the moment of the call; never rejects. */
  outlook(settings: GuardSettings): Promise<Outlook>
  /** How much of the budgets is used, with each request. */
  used(budgets: BudgetUse): void
  /** A guard said no. */
  refusedBy(guard: string): void
  /** A fix came to an end that was not known before. */
  came(outcome: Ended): void
  /** Monotonic and wall clock, ms. */
  now(): number
  wallNow(): number
}

/** What it needs of the running mesh, and of what is known by it. */
export interface DeskSide {
  /** While this aggregator leads; undefined else. */
  mesh(): MeshNow | undefined
  /** For how long it has led, ms. */
  ledForMs(): number
  isMember(node: string): boolean
  publish(topic: string, bytes: Uint8Array, ttlMs: number): void
  said(planId: string): Said | undefined
  allSaid(): readonly Said[]
}

export class PermitDesk {
  readonly #init: DeskInit
  readonly #requests: Requests
  readonly #budget = new EventBudget()
  /** By plan, the last request that is not answered. */
  readonly #waiting = new Map<string, Asked>()
  readonly #refused = new Map<string, Refusal & { readonly at: string }>()
  #side: DeskSide | undefined
  #isWorking = false
  #isDue = false
  #timer: NodeJS.Timeout | undefined

  constructor(init: DeskInit) {
    this.#init = init
    this.#requests = new Requests(init.story, init.now(), init.wallNow())
  }

  /** The last no to each plan that is not over. */
  get refused(): readonly (Refusal & { readonly at: string })[] {
    return [...this.#refused.values()]
  }

  start(side: DeskSide): void {
    this.#side = side
  }

  stop(): void {
    this.#side = undefined
    clearTimeout(this.#timer)
  }

  standsBy(): void {
    this.#waiting.clear()
    this.#refused.clear()
  }

  /** It leads from now on, or a verdict was committed: permits may have ended. */
  look(): void {
    this.#isDue = true
    void this.#work()
  }

  /** True for a request. Throws an Error for one that is none, or is not its signer's. */
  hear(signed: SignedStatement): boolean {
    const { signer, body } = signed.statement
    if (body.kind !== 'note' || !isPermitRequestTopic(body.topic)) return false
    const request = decodePermitRequest(signer, body.topic, body.bytes)
    if (this.#side?.isMember(signer) !== true) throw new Error(`${signer} is no member, and asked for a permit`)
    if (!this.#budget.take(signer, this.#init.now())) throw new Error(`${signer} asks too often`)
    this.#requests.heard(request, this.#init.now())
    if (this.#side.mesh() === undefined) return true
    const asked = { request, position: positionOf(signed) }
    const before = this.#waiting.get(request.planId)
    if (before !== undefined && isAfter(before.position, asked.position)) return true
    if (before === undefined && this.#waiting.size >= WAITING_MAX) throw new Error('too many ask at once')
    this.#waiting.set(request.planId, asked)
    void this.#work()
    return true
  }

  /** The fleet knows of it by now: a word about a fix may end its permit. */
  heardOf({ statement: { body } }: SignedStatement): void {
    if (body.kind !== 'note' || !isRemediationTopic(body.topic)) return
    const said = this.#side?.said(body.topic.slice(body.topic.indexOf('/') + 1))
    const { known } = this.#init.ledger
    if (said === undefined || this.#side?.mesh() === undefined) return
    if (said.remediation.phase !== 'refused') this.#refused.delete(said.remediation.plan.id)
    // A permit that is being written is not known yet: it is looked at again when it is.
    if (known === undefined || this.#settled(known, [said]) !== known) this.look()
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    const settlesInMs = SETTLE_MS - (this.#side?.ledForMs() ?? 0)
    if (settlesInMs > 0) return this.#lookIn(settlesInMs)
    this.#isWorking = true
    while (this.#side?.mesh() !== undefined && (this.#isDue || this.#waiting.size > 0)) {
      await this.#turn().catch((error: unknown) => {
        this.#init.log.error({ err: messageOf(error) }, 'permits cannot be put on record: trying again')
        this.#lookIn(AGAIN_MS)
      })
    }
    this.#isWorking = false
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.look(), ms)
    this.#timer.unref()
  }

  /** All that ask at the moment are answered on what is read after they asked. */
  async #turn(): Promise<void> {
    const { guards, outlook, ledger } = this.#init
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#isDue = false
    if (waiting.length === 0) return await this.#change((book) => book)
    const settings = guards()
    const seen = await outlook(settings)
    for (const asked of waiting) await this.#answer(asked, seen, settings)
    // What was heard while a permit was written may have ended it.
    if (ledger.known !== undefined && this.#settled(ledger.known) !== ledger.known) this.#isDue = true
  }

  async #answer(asked: Asked, outlook: Outlook, settings: GuardSettings): Promise<void> {
    const { request } = asked
    const before = this.#init.story.answerTo(request)
    if (before !== undefined) return await this.#answerAgain(before)
    const permitId = `permit-${randomUUID()}`
    let decided: Decided = { verdicts: [], grant: undefined, use: undefined }
    try {
      await this.#change((book) => {
        decided = this.#decide(book, asked, outlook, settings, permitId)
        return decided.grant === undefined ? book : withGrant(book, decided.grant)
      })
    } catch (error) {
      // Who leads now is asked as well, and answers.
      if (error instanceof NotLeading)
        return this.#init.log.info({ plan: request.planId, err: error.message }, 'not asked')
      const why = `the record of permits cannot be read or written: ${messageOf(error)}`.slice(0, WHY_CHARS_MAX)
      const record = { guard: 'record', allowed: false, why, restMs: AGAIN_MS }
      return this.#refuse(request, [...decided.verdicts, record])
    }
    if (decided.use !== undefined) this.#init.used(decided.use)
    if (decided.grant === undefined) this.#refuse(request, decided.verdicts)
    else this.#grant(request, decided.grant.permit, decided.verdicts)
  }

  #decide(book: Book, asked: Asked, outlook: Outlook, settings: GuardSettings, permitId: string): Decided {
    const { now, wallNow, story, people } = this.#init
    const mesh = this.#side?.mesh()
    if (mesh === undefined) throw new NotLeading()
    const said = this.#side?.said(asked.request.planId)
    const plan = said?.remediation.plan
    const { decisionId } = asked.request
    const approvals = plan === undefined ? [] : countedWith(decisionId, story.approvalsOf(plan), people())
    const [nowMs, wallMs] = [now(), wallNow()]
    const requests = this.#requests.of(nowMs)
    const settled = this.#init.settled(asked.request.node)
    return decide(book, { asked, said, approvals, mesh, outlook, settings, settled, requests, nowMs, wallMs, permitId })
  }

  #grant(request: PermitRequest, permit: Answer['permit'] & object, verdicts: readonly GuardVerdict[]): void {
    const plan = this.#planOf(request)
    if (plan === undefined) throw new Error(`plan ${request.planId} was forgotten while it was permitted`)
    // Should this fail, the permit is on record and was never sent: its node asks again, and gets another.
    this.#init.story.permitted(permit, request, plan, verdicts)
    this.#refused.delete(plan.id)
    this.#init.log.info({ plan: plan.id, subject: plan.node, permit: permit.id }, 'permitted')
    this.#send({ permit })
  }

  #refuse(request: PermitRequest, verdicts: readonly GuardVerdict[]): void {
    const { story, refusedBy, wallNow, log } = this.#init
    const guards = verdicts.filter(({ allowed }) => !allowed)
    const { node, planId, nonce } = request
    const refusal = { node, planId, nonce, guards, retryAfterMs: retryAfterMs(guards) }
    story.refused(refusal, request, this.#planOf(request), verdicts)
    for (const { guard } of guards) refusedBy(guard)
    this.#refused.delete(planId)
    this.#refused.set(planId, { ...refusal, at: new Date(wallNow()).toISOString() })
    for (const oldest of this.#refused.keys()) if (this.#refused.size > WAITING_MAX) this.#refused.delete(oldest)
    log.info({ plan: planId, subject: node, guards: guards.map(({ guard }) => guard) }, 'not permitted')
    this.#send({ refusal })
  }

  /** A permit that has ended is not sent again: whoever acted on it would do so unknown to the record. */
  async #answerAgain(answer: Answer): Promise<void> {
    const { permit } = answer
    if (permit !== undefined) {
      const { grants } = await this.#init.ledger.change((book) => book)
      if (!grants.some((grant) => grant.permit.id === permit.id)) return
    }
    this.#send(answer)
  }

  #send({ permit, refusal }: Answer): void {
    const side = this.#side
    if (side?.mesh() === undefined) return
    if (permit !== undefined) side.publish(permitTopic(permit.planId), encodeNote(permit), BEGIN_WITHIN_MS)
    else side.publish(refusalTopic(refusal.planId), encodeNote(refusal), BEGIN_WITHIN_MS)
  }

  /** Settles the record first, and tells of the fixes whose ends are new in it. */
  async #change(decideOn: (book: Book) => Book): Promise<void> {
    let before: readonly Ended[] = []
    const { ended } = await this.#init.ledger.change((book) => {
      before = book.ended
      return decideOn(this.#settled(book))
    })
    for (const one of ended) if (!before.includes(one)) this.#init.came(one)
  }

  #settled(book: Book, said = this.#side?.allSaid() ?? []): Book {
    const mesh = this.#side?.mesh()
    if (mesh === undefined) throw new NotLeading()
    return settle(book, { said, mesh, nowMs: this.#init.now(), wallMs: this.#init.wallNow() })
  }

  #planOf({ planId }: PermitRequest) {
    return this.#side?.said(planId)?.remediation.plan
  }
}
