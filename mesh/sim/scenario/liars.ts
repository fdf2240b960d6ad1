/**
 * Members that lie: their program is the shipped one, and what it says is altered before it leaves. They keep their own
 * key and can forge nobody else's words.
 */
import type { Effect, Message } from '../../core/message.ts'
import type {
  Accusation,
  Answer,
  Incarnation,
  Keyring,
  SignedAnswer,
  SignedStatement,
  StatementBody,
} from '../../core/model.ts'
import { LEAVE_MS_MAX } from '../../core/model.ts'
import { withMember } from '../../core/presence.ts'
import type { Lie } from './schema.ts'

type Sign = Keyring['sign']

/** Who lies how, and about whom; undefined: about anybody. */
interface Habit {
  readonly lie: Lie
  readonly about: ReadonlySet<string> | undefined
}

/** What a liar knows as its core does. */
export interface Knowledge {
  readonly epoch: number
  readonly term: number
  readonly accusationTtlMs: number
  /** A member's bit in a roll-call's bitmaps. */
  positionOf(node: string): number
  lifeOf(node: string): Incarnation
  subjectsOf(node: string): readonly string[]
}

export class Liars {
  readonly #habits = new Map<string, Habit>()
  readonly #knowledge: () => Knowledge
  /** Numbers of what they make up: ahead of all that their cores count. */
  #seq = 1_000_000

  constructor(knowledge: () => Knowledge) {
    this.#knowledge = knowledge
  }

  /** Returns what makes them honest again. */
  begin(nodes: ReadonlySet<string>, habit: Habit): () => void {
    for (const node of nodes) this.#habits.set(node, habit)
    return () => {
      for (const node of nodes) this.#habits.delete(node)
    }
  }

  readonly tamper = (node: string, effect: Effect, sign: Sign): readonly Effect[] => {
    const habit = this.#habits.get(node)
    if (habit === undefined || effect.kind !== 'send') return [effect]
    const message = this.#alter(node, effect.to, effect.message, habit, sign)
    const altered = message === undefined ? [] : [{ ...effect, message }]
    // Every five seconds at least, by the way on which votes go up.
    if (effect.message.kind !== 'answers') return altered
    const items = this.#madeUp(node, habit).map((signed) => ({ signed: this.#signed(node, signed, sign), ageMs: 0 }))
    return items.length === 0 ? altered : [...altered, { ...effect, message: { kind: 'gossip', items } }]
  }

  /** What it says though there is no reason for it. */
  #madeUp(node: string, { lie, about }: Habit): readonly StatementBody[] {
    const { epoch, term, lifeOf, subjectsOf } = this.#knowledge()
    if (lie === 'leave') {
      return [{ kind: 'leave', incarnation: lifeOf(node), reason: 'so it says', forMs: LEAVE_MS_MAX }]
    }
    if (lie !== 'accuse' && lie !== 'equivocate') return []
    const subjects = subjectsOf(node).filter((subject) => about === undefined || about.has(subject))
    return subjects.map((subject) => {
      return { kind: 'accusation', subject, incarnation: lifeOf(subject), epoch, term, ...ACCUSED }
    })
  }

  #signed(signer: string, body: StatementBody, sign: Sign): SignedStatement {
    const { lifeOf, accusationTtlMs } = this.#knowledge()
    const { serial, boot } = lifeOf(signer)
    const ttlMs = body.kind === 'leave' ? body.forMs : accusationTtlMs
    const statement = { signer, serial, boot, seq: ++this.#seq, ttlMs, body }
    return { statement, signature: sign('statement', statement) }
  }

  #alter(node: string, to: string, message: Message, habit: Habit, sign: Sign): Message | undefined {
    if (message.kind === 'gossip') {
      const items = message.items.flatMap(({ signed, ageMs }) => {
        const said = this.#alterStatement(node, signed, habit, sign)
        return said === undefined ? [] : [{ signed: said, ageMs }]
      })
      return items.length === 0 ? undefined : { ...message, items }
    }
    if (message.kind !== 'answers') return message
    const answers = message.answers.flatMap((signed) => this.#alterAnswer(node, to, signed, habit, sign))
    if (habit.lie !== 'degrade') return { ...message, answers }
    const degraded = message.degraded.length === 0 ? new Uint8Array(message.present.length) : message.degraded
    return { ...message, answers, degraded: withMember(degraded, this.#knowledge().positionOf(node)) }
  }

  #alterAnswer(node: string, to: string, signed: SignedAnswer, { lie, about }: Habit, sign: Sign): SignedAnswer[] {
    const { answer } = signed
    if (answer.voter !== node || (about !== undefined && !about.has(answer.subject))) return [signed]
    const told = ANSWERS[lie === 'equivocate' ? faceFor(to) : lie]
    if (told === undefined) return [signed]
    if (told === 'nothing') return []
    const altered: Answer = { ...answer, ...told }
    return [{ answer: altered, signature: sign('answer', altered) }]
  }

  /** What it says of its own accord: accusations. A liar that accuses says so whatever it sees. */
  #alterStatement(node: string, signed: SignedStatement, { lie, about }: Habit, sign: Sign) {
    const { statement } = signed
    const { body } = statement
    if (statement.signer !== node || body.kind !== 'accusation') return signed
    if (about !== undefined && !about.has(body.subject)) return signed
    if (lie === 'silent' || lie === 'abstain' || lie === 'degrade') return undefined
    if (lie === 'attest') return resigned(signed, { ...body, opinion: 'Alive', channel: 'userland', silentMs: 0 }, sign)
    return lie === 'accuse' || lie === 'equivocate' ? resigned(signed, { ...body, ...ACCUSED }, sign) : signed
  }
}

const ACCUSED = { opinion: 'NodeDown', channel: 'nothing', silentMs: 30_000 } as const
const DEAD = { opinion: 'NodeDown', channel: 'nothing', forMs: 30_000, reason: '' } as const
const ALIVE = { opinion: 'Alive', channel: 'userland', forMs: 10, reason: '' } as const
const UNFIT = { opinion: 'Abstain', channel: 'unknown', forMs: 0, reason: 'it says that it is unfit' } as const

/** What is answered in place of the truth; undefined: the truth. */
const ANSWERS: Readonly<Record<Lie, Partial<Answer> | 'nothing' | undefined>> = {
  accuse: DEAD,
  silent: 'nothing',
  attest: ALIVE,
  abstain: UNFIT,
  leave: undefined,
  equivocate: undefined,
  degrade: UNFIT,
}

/** To one half of its neighbours it says this, to the other that. */
function faceFor(to: string): Lie {
  const sum = [...to].reduce((total, letter) => total + letter.charCodeAt(0), 0)
  return sum % 2 === 0 ? 'accuse' : 'attest'
}

function resigned({ statement }: SignedStatement, body: Accusation, sign: Sign): SignedStatement {
  const altered = { ...statement, body }
  return { statement: altered, signature: sign('statement', altered) }
}
