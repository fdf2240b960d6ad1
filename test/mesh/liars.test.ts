/** Enrolled peers that send whatever they like to an honest core: it neither throws, nor convicts without proof, nor grows. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verifyCertificate } from '../../mesh/core/certificate.ts'
import { Core } from '../../mesh/core/core.ts'
import type { Effect, Input, Message } from '../../mesh/core/message.ts'
import type { Answer, Certificate, SignedAnswer, SignedRollCall } from '../../mesh/core/model.ts'
import { emptyPresence } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { anyMessageOf } from './any-message.ts'
import { FIRST_LIFE, LEADER, momentAt, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ring = ringOf(roster)
const MEMBER = nodeName(0)
const [SUBJECT = ''] = ring.subjectsOf(MEMBER)
const OBSERVERS = ring.observersOf(SUBJECT)
/** As many as section 8 of the protocol allows of ten observers. */
const LIARS = OBSERVERS.filter((node) => node !== MEMBER).slice(0, 4)
const HASH = 'ab'.repeat(32)
const EVERYBODY = new Uint8Array(3).fill(255)

const lie = anyMessageOf({
  name: fc.constantFrom(SUBJECT, MEMBER, LEADER, 'nobody', ...LIARS, ...OBSERVERS.slice(5)),
  count: fc.constantFrom(0, 1, 2, 3, roster.epoch, roster.epoch + 1),
  // Those that the leader takes, one after the other.
  nonce: fc.integer({ min: 0, max: 8 }).map((index) => (0xa0 + index).toString(16)),
}).map(signedByLiars)

/** Liars sign what they say in their own names; in another's they can only make something up. */
function signedByLiars(message: Message): Message {
  const sign = (signer: string, purpose: 'statement' | 'answer', payload: unknown, made: Uint8Array) =>
    LIARS.includes(signer) ? standInKeyring(signer).sign(purpose, payload) : made
  switch (message.kind) {
    case 'gossip': {
      const items = message.items.map(({ signed: { statement, signature }, ageMs }) => {
        return { signed: { statement, signature: sign(statement.signer, 'statement', statement, signature) }, ageMs }
      })
      return { ...message, items }
    }
    case 'answers': {
      const answers = message.answers.map(({ answer, signature }) => {
        return { answer, signature: sign(answer.voter, 'answer', answer, signature) }
      })
      return { ...message, answers }
    }
    default:
      return message
  }
}

type Step =
  | { readonly kind: 'lie'; readonly from: string; readonly message: Message }
  | { readonly kind: 'wait'; readonly ms: number }
  /** Honest observers say what they see. */
  | { readonly kind: 'accuse' | 'answer'; readonly opinion: 'NodeDown' | 'Alive' }
  /** A liar does it in their names. */
  | { readonly kind: 'forge' }

const aLie = fc.record({ kind: fc.constant('lie' as const), from: fc.constantFrom(...LIARS), message: lie })
const aWait = fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 300, 1_000, 5_000, 30_000) })
const aForgery = fc.record({ kind: fc.constant('forge' as const) })
const opinion = fc.constantFrom('NodeDown' as const, 'Alive' as const)
const anHonestWord = fc.record({ kind: fc.constantFrom('accuse' as const, 'answer' as const), opinion })

/** A core that has edges to the liars, and what it did. */
class Victim {
  readonly core: Core
  readonly commits: Certificate[] = []
  #call: SignedRollCall | undefined
  #now = 0
  #nonces = 0
  #seq = 0

  constructor(node: string) {
    const nonce = () => (0xa0 + this.#nonces++).toString(16)
    const aggregator = { rosterHash: HASH, saidBefore: [], heartbeats: false, nonce }
    const random = seededRandom(1)
    this.core = new Core(momentAt(0), {
      node,
      incarnation: FIRST_LIFE,
      roster,
      rosterBytes: new Uint8Array(0),
      keyring: standInKeyring(node),
      timing: DEFAULT_TIMING,
      random: () => random(),
      ...(node === LEADER ? { aggregator } : {}),
    })
    this.#step({ kind: 'lead', term: 1, standing: [] })
    for (const peer of LIARS) this.#step({ kind: 'opened', peer, by: 'them', incarnation: FIRST_LIFE })
  }

  plays(step: Step): this {
    switch (step.kind) {
      case 'lie':
        this.#step({ kind: 'message', from: step.from, message: step.message })
        break
      case 'wait':
        this.#now += step.ms
        this.#step({ kind: 'tick' })
        break
      case 'accuse':
        for (const voter of this.#honest())
          this.#hear({ kind: 'gossip', items: [this.#accusation(voter, step.opinion)] })
        break
      case 'answer':
        this.#answer(step.opinion, (voter) => voter)
        break
      case 'forge':
        this.#answer('NodeDown', () => LIARS[0] ?? '')
        break
    }
    return this
  }

  #honest(): readonly string[] {
    return OBSERVERS.filter((node) => !LIARS.includes(node))
  }

  #accusation(voter: string, opinion: 'NodeDown' | 'Alive') {
    const about = { subject: SUBJECT, incarnation: FIRST_LIFE, epoch: roster.epoch, term: 1 }
    const body = { kind: 'accusation', ...about, opinion, channel: 'nothing', silentMs: 1_500 } as const
    const statement = { signer: voter, serial: 1, boot: 1, seq: ++this.#seq, ttlMs: 12_000, body }
    return { signed: { statement, signature: standInKeyring(voter).sign('statement', statement) }, ageMs: 0 }
  }

  #answer(opinion: 'NodeDown' | 'Alive', signerFor: (voter: string) => string): void {
    if (this.#call === undefined) return
    const { nonce, epoch } = this.#call.rollCall
    const asked = this.#call.rollCall.subjects.find(({ node }) => node === SUBJECT)
    const answers = this.#honest().flatMap((voter): readonly SignedAnswer[] => {
      if (asked === undefined) return []
      const view = { opinion, channel: opinion === 'Alive' ? 'unknown' : 'nothing', forMs: 1_500, reason: '' } as const
      const answer: Answer = {
        nonce,
        epoch,
        voter,
        voterSerial: 1,
        subject: SUBJECT,
        incarnation: asked.incarnation,
        ...view,
      }
      return [{ answer, signature: standInKeyring(signerFor(voter)).sign('answer', answer) }]
    })
    this.#hear({ kind: 'answers', nonce, present: EVERYBODY, degraded: emptyPresence(20), answers })
  }

  #hear(message: Message): void {
    this.#step({ kind: 'message', from: LIARS[0] ?? '', message })
  }

  #step(input: Input): void {
    for (const effect of this.core.step(momentAt(this.#now), input)) this.#note(effect)
  }

  #note(effect: Effect): void {
    if (effect.kind === 'commit') this.commits.push(effect.certificate)
    if (effect.kind === 'send' && effect.message.kind === 'roll-call') this.#call = effect.message.call
  }
}

describe.each([LEADER, MEMBER])('%s', (node) => {
  test('neither throws nor convicts anybody, whatever four of ten observers send it', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: aLie }, aWait), { maxLength: 60 }), (steps) => {
        const victim = new Victim(node)
        for (const step of steps) victim.plays(step)
        expect(victim.commits).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})

test('a leader that hears honest observers between the lies convicts by certificates that verify, and no others', () => {
  const verdicts = { made: 0 }
  const steps = fc.array(fc.oneof(aLie, aWait, aForgery, { weight: 3, arbitrary: anHonestWord }), {
    minLength: 20,
    maxLength: 60,
  })
  fc.assert(
    fc.property(steps, (steps) => {
      const victim = new Victim(LEADER)
      for (const step of steps) victim.plays(step)
      verdicts.made += victim.commits.length
      for (const certificate of victim.commits) {
        expect(verifyCertificate(certificate, roster, HASH, standInKeyring(MEMBER), DEFAULT_TIMING)).toEqual({
          valid: true,
        })
        expect(certificate.subject).toBe(SUBJECT)
      }
    }),
    { numRuns: 150 },
  )
  expect(verdicts.made).toBeGreaterThan(10)
})
