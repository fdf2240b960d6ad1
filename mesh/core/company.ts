/**
 * Who else belongs to the question of a roll-call: members that it did not reach, and those who fell silent at the same moment.
 * Whoever fell together is judged together, else the brake would see the nodes of one cut one after another.
 */
import { Absence } from './absence.ts'
import type { Brake } from './brake.ts'
import type { Conditions } from './conditions.ts'
import type { InQuestion } from './in-question.ts'
import type { Answer, Millis } from './model.ts'
import type { OpenRollCall } from './open-roll-call.ts'

/** By then a verdict has waited for most of a second. For others to join it, it waits once. */
const FOLLOW_UPS_MAX = 2

/** Two may fall silent at once by chance, or one die while another is busy. */
const CROWD = 3

/** More are not asked about: so many at once are in question for good reason. */
const UNEXPLAINED_MAX = 50

/** A verdict's first votes come 1.3 s after the last sign of life, those about others of the same moment up to 0.45 s later. */
const SHOWS_BY_MS = 1_750

export interface Called {
  /** Members that the question did not reach, and for whom nothing speaks: the brake counts them. */
  readonly missing: readonly string[]
  /** Those of them that it did not ask about. */
  readonly unexplained: readonly string[]
  /** When all of `unexplained` are to be asked about together with the candidates. */
  readonly askAgain: 'now' | 'before-a-verdict' | 'no'
}

export class Company {
  readonly #absence = new Absence()
  /** Questions in a row that convicted nobody because others belong to them. */
  #followUps = 0
  readonly #conditions: Conditions
  readonly #inQuestion: InQuestion
  readonly #brake: Brake

  constructor(conditions: Conditions, inQuestion: InQuestion, brake: Brake) {
    this.#conditions = conditions
    this.#inQuestion = inQuestion
    this.#brake = brake
  }

  /** These answered a roll-call. */
  present(now: Millis, nodes: readonly string[]): void {
    this.#absence.present(now, nodes)
  }

  /** An observer answered for this one. */
  vouched(now: Millis, node: string): void {
    this.#absence.vouched(now, node)
  }

  /** `absent`: live members that did not answer; `hasMajority`: whether most did. */
  called(now: Millis, open: OpenRollCall, absent: readonly string[], hasMajority: boolean): Called {
    const asked = new Set(open.subjects)
    const excused = new Set([...this.#conditions.agentDown, ...(this.#followUps > 0 ? this.#merelyBusy(open) : [])])
    const missing = this.#absence.unexplained(
      now,
      absent.filter((node) => !excused.has(node)),
    )
    const unexplained = missing.filter((node) => !asked.has(node))
    const mayAskAgain = hasMajority && this.#followUps < FOLLOW_UPS_MAX && unexplained.length <= UNEXPLAINED_MAX
    if (mayAskAgain && this.#hangsOn(now, unexplained)) {
      this.#followUps++
      return { missing, unexplained, askAgain: 'now' }
    }
    const isJoined = mayAskAgain && this.#followUps === 0 && this.#isJoined(now, asked, unexplained)
    this.#followUps = 0
    return { missing, unexplained, askAgain: isJoined ? 'before-a-verdict' : 'no' }
  }

  /** The verdict that was to wait does. */
  waits(): void {
    this.#followUps++
  }

  /** Without a verdict, and lately fallen silent to more than a few. */
  comingUp(now: Millis): readonly string[] {
    const silent = new Set(this.#inQuestion.silentToFew())
    return this.#brake.lately(now).filter((node) => silent.has(node) && !this.#conditions.standing.has(node))
  }

  /** Whether others fell silent together with the candidates, or seem to have: then they are one batch, if asked once more. */
  #isJoined(now: Millis, asked: ReadonlySet<string>, unexplained: readonly string[]): boolean {
    if (this.comingUp(now).some((node) => !asked.has(node))) return true
    return unexplained.length > 0 && asked.size + unexplained.length >= CROWD
  }

  /** Of those asked about once more: by now their observers would hold them silent, had they fallen with the candidates. */
  #merelyBusy(open: OpenRollCall): readonly string[] {
    const { candidates } = open
    const accusing = (subject: string) => open.answersAbout(subject).filter(isAccusing)
    const silentMs = Math.min(...candidates.map((node) => median(accusing(node).map(({ forMs }) => forMs))))
    if (!(silentMs >= SHOWS_BY_MS)) return []
    return open.subjects.filter(
      (node) => !candidates.includes(node) && accusing(node).length < this.#inQuestion.few(node),
    )
  }

  /** Whether the brake would hold everything, were the unexplained gone too. */
  #hangsOn(now: Millis, unexplained: readonly string[]): boolean {
    if (unexplained.length === 0) return false
    const known = this.#inQuestion.all()
    const all = new Set([...known, ...unexplained])
    return !this.#brake.wouldFreeze(now, new Set(known)) && this.#brake.wouldFreeze(now, all)
  }
}

function isAccusing({ opinion }: Answer): boolean {
  return opinion === 'NodeDown' || opinion === 'HostHung'
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
