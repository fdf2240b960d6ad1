/**
 * One aggregator of a simulated world: the shipped rules of the desk of permits, in the order in which
 * aggregator/permits/desk.ts and ledger.ts go through them, with time passing between reading and writing.
 */
import { type Book, withGrant } from '../../aggregator/permits/book.ts'
import type { Asked } from '../../aggregator/permits/checks.ts'
import type { Decided, DecideInit, decide } from '../../aggregator/permits/decide.ts'
import type { Outlook } from '../../aggregator/permits/outside.ts'
import { isAfter, type Position } from '../../aggregator/permits/position.ts'
import { Requests } from '../../aggregator/permits/requests.ts'
import type { Said } from '../../aggregator/permits/said.ts'
import type { settle } from '../../aggregator/permits/settle.ts'
import type { MeshNow } from '../../aggregator/permits/view.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import { retryAfterMs } from '../../remediators/guards/index.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import type { Approval } from '../../remediators/guards/view.ts'
import type { Permit, Refusal } from '../../remediators/permits.ts'
import type { Said as Word } from './agent.ts'
import type { Checker } from './checker.ts'
import type { Dice } from './dice.ts'
import type { SimRecord } from './record.ts'

export interface Note {
  readonly node: string
  readonly topic: string
  readonly position: Position
  readonly what: Word
  readonly until: number
}

export type Answer = { readonly permit: Permit } | { readonly refusal: Refusal }

export interface AggregatorInit {
  readonly name: string
  readonly dice: Dice
  readonly record: SimRecord
  readonly settings: GuardSettings
  readonly checker: Checker
  readonly decide: typeof decide
  readonly settle: typeof settle
  /** False: it writes whoever wrote in between, and whoever leads by now. */
  readonly comparesAndSwaps: boolean
  now(): number
  wall(): number
  later(ms: number, run: () => void): void
  outlook(): Outlook
  mesh(aggregator: SimAggregator): MeshNow
  approvals(plan: Plan | undefined): readonly Approval[]
  settled(node: string): DecideInit['settled']
  send(answer: Answer): void
}

interface Report {
  readonly findings: readonly Finding[]
  readonly heardMs: number
}

const ATTEMPTS_MAX = 5
const ANSWERS_MAX = 500
/** As aggregator/fleet.ts. */
const SAID_MAX = 1_000

export class SimAggregator {
  readonly init: AggregatorInit
  /** Of its leadership; undefined while it does not believe that it leads. */
  term: number | undefined
  ledSince = 0
  isCut = false
  frozen: string | undefined
  readonly said = new Map<string, Said>()
  readonly #reports = new Map<string, Report>()
  readonly #positions = new Map<string, Position>()
  readonly #waiting = new Map<string, Asked>()
  readonly #answers = new Map<string, Answer>()
  readonly #requests: Requests
  #isWorking = false
  #isDue = false

  constructor(init: AggregatorInit) {
    this.init = init
    this.#requests = new Requests({ askedSince: () => [] }, init.now(), init.wall())
  }

  /** What waits for an answer. */
  get load(): number {
    return this.#waiting.size
  }

  get findings(): readonly Finding[] {
    const now = this.init.now()
    return [...this.#reports.values()].flatMap(({ findings, heardMs }) =>
      findings.map((one) => (now - heardMs <= one.ttlMs ? one : { ...one, status: 'unknown' as const })),
    )
  }

  leads(term: number | undefined): void {
    this.term = term
    this.ledSince = this.init.now()
    for (const { request } of this.#waiting.values()) this.init.checker.passedOn(request)
    this.#waiting.clear()
    this.look()
  }

  look(): void {
    this.#isDue = true
    this.#work()
  }

  hear({ node, topic, position, what }: Note): void {
    const key = `${node} ${topic}`
    const known = this.#positions.get(key)
    if (known !== undefined && !isAfter(position, known)) return
    this.#positions.set(key, position)
    const heardMs = this.init.now()
    if ('report' in what) this.#reports.set(key, { findings: what.report, heardMs })
    else if ('remediation' in what) {
      this.#hearSaid({ remediation: what.remediation, position, heardMs })
    } else {
      this.#requests.heard(what.request, heardMs)
      if (this.term === undefined) return
      const before = this.#waiting.get(what.request.planId)
      if (before !== undefined && isAfter(before.position, position)) return
      if (before !== undefined) this.init.checker.passedOn(before.request)
      this.init.checker.heard(what.request)
      this.#waiting.set(what.request.planId, { request: what.request, position })
      this.#work()
    }
  }

  #hearSaid(said: Said): void {
    const { id } = said.remediation.plan
    this.said.delete(id)
    this.said.set(id, said)
    if (this.said.size > SAID_MAX) {
      const oldest = [...this.said].find(([, { remediation }]) => remediation.ended)
      if (oldest !== undefined) this.said.delete(oldest[0])
    }
    const { book } = this.init.record
    if (this.term !== undefined && this.#settled(book, [said]) !== book) this.look()
  }

  /** `done` is told what stands on record, or why nobody knows. */
  change(decideOn: (book: Book) => Book, done: (result: Book | string) => void, attempt = 1): void {
    const { record, dice, later, comparesAndSwaps } = this.init
    const { version, book: before } = record
    const { term } = this
    if (term === undefined || (comparesAndSwaps && before.term > term)) {
      done('it leads no more')
      return
    }
    const decided = decideOn(this.#settled(before))
    if (decided === before) {
      done(before)
      return
    }
    const next = { ...decided, term }
    if (dice.chance(0.005)) {
      done('the record cannot be written')
      return
    }
    later(dice.between(2, dice.chance(0.05) ? 5_000 : 80), () => {
      const isWritten = record.write(comparesAndSwaps ? version : record.version, next)
      if (isWritten) {
        done(dice.chance(0.005) ? 'the reply was lost, and somebody wrote since' : next)
        return
      }
      if (attempt === ATTEMPTS_MAX) {
        done('somebody else writes all the time')
        return
      }
      this.change(decideOn, done, attempt + 1)
    })
  }

  #settled(book: Book, said: readonly Said[] = [...this.said.values()]): Book {
    const { settle, now, wall } = this.init
    return settle(book, { said, mesh: this.#mesh(), nowMs: now(), wallMs: wall() })
  }

  #mesh(): MeshNow {
    return this.init.mesh(this)
  }

  #work(): void {
    if (this.#isWorking || this.term === undefined || !(this.#isDue || this.#waiting.size > 0)) return
    this.#isWorking = true
    const asked = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#isDue = false
    const outlook = this.init.outlook()
    const end = () => {
      this.#isWorking = false
      this.#work()
    }
    this.init.later(this.init.dice.between(1, 200), () => {
      if (asked.length > 0) this.#answerAll(asked, outlook, end)
      else this.change((book) => book, end)
    })
  }

  #answerAll([first, ...others]: readonly Asked[], outlook: Outlook, end: () => void): void {
    if (first === undefined) end()
    else this.#answer(first, outlook, () => this.#answerAll(others, outlook, end))
  }

  #answer(asked: Asked, outlook: Outlook, end: () => void): void {
    const { request } = asked
    const before = this.#answers.get(request.nonce)
    if (before !== undefined) {
      this.init.checker.passedOn(request)
      this.#answerAgain(before)
      end()
      return
    }
    const permitId = `permit-${this.init.dice.hex(8)}`
    let decided: Decided = { verdicts: [], grant: undefined, use: undefined }
    let input: DecideInit | undefined
    this.change(
      (book) => {
        input = this.#decideInit(asked, outlook, permitId)
        decided = this.init.decide(book, input)
        return decided.grant === undefined ? book : withGrant(book, decided.grant)
      },
      (result) => {
        this.#conclude(asked, decided, input, result)
        end()
      },
    )
  }

  #decideInit(asked: Asked, outlook: Outlook, permitId: string): DecideInit {
    const { settings, now, wall, approvals, settled } = this.init
    const [nowMs, wallMs, { planId, node }] = [now(), wall(), asked.request]
    const [said, requests] = [this.said.get(planId), this.#requests.of(nowMs)]
    const rest = { approvals: approvals(said?.remediation.plan), mesh: this.#mesh(), outlook, settings, requests }
    return { asked, said, ...rest, settled: settled(node), nowMs, wallMs, permitId }
  }

  #conclude({ request }: Asked, decided: Decided, input: DecideInit | undefined, result: Book | string): void {
    const { checker } = this.init
    const { node, planId, nonce } = request
    if (result === 'it leads no more' || input === undefined) {
      checker.passedOn(request)
      return
    }
    if (decided.grant !== undefined && typeof result !== 'string') {
      checker.granted(this.init.name, decided, input)
      this.#say(nonce, { permit: decided.grant.permit })
      return
    }
    const record = { guard: 'record', allowed: false, why: String(result), restMs: 5_000 }
    const verdicts = decided.grant === undefined ? decided.verdicts : [...decided.verdicts, record]
    const guards = verdicts.filter(({ allowed }) => !allowed)
    checker.refused(request, verdicts, input)
    this.#say(nonce, { refusal: { node, planId, nonce, guards, retryAfterMs: retryAfterMs(guards) } })
  }

  #say(nonce: string, answer: Answer): void {
    this.#answers.set(nonce, answer)
    for (const oldest of this.#answers.keys()) if (this.#answers.size > ANSWERS_MAX) this.#answers.delete(oldest)
    if (this.term !== undefined) this.init.send(answer)
  }

  #answerAgain(answer: Answer): void {
    const { grants } = this.init.record.book
    const isOver = 'permit' in answer && !grants.some(({ permit }) => permit.id === answer.permit.id)
    if (!isOver && this.term !== undefined) this.init.send(answer)
  }
}
