import { Links } from '../../mesh/core/links.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import type { Answer, RollCall, SignedAnswer, SignedRollCall } from '../../mesh/core/model.ts'
import { emptyPresence } from '../../mesh/core/presence.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { RollCallDesk, type Voter } from '../../mesh/core/roll-call.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { FIRST_LIFE, LEADER, nodeName, sampleMember, sampleRoster, standInKeyring } from './sample-mesh.ts'

export const SECOND_LEADER = 'aggregator-2'
const sample = sampleRoster({ nodes: 20 })
export const roster = { ...sample, aggregators: [...sample.aggregators, sampleMember(SECOND_LEADER, '')] }
export const [ME, PARENT, SECOND, THIRD] = [nodeName(0), nodeName(1), nodeName(2), nodeName(3)]
export const MY_INDEX = 0
export const NOBODY = new Uint8Array(0)
export const [SUBJECT = ''] = ringOf(roster).subjectsOf(ME)
export const { rollCallMs, rollCallBatchMs } = DEFAULT_TIMING
export const OTHERS = ringOf(roster)
  .observersOf(SUBJECT)
  .filter((node) => node !== ME)

type Own = NonNullable<ReturnType<Voter['answer']>>
export const SILENT: Own = {
  incarnation: FIRST_LIFE,
  opinion: 'NodeDown',
  channel: 'nothing',
  forMs: 1_200,
  reason: '',
}

export function callOf(parts: Partial<RollCall> = {}): SignedRollCall {
  const subjects = [{ node: SUBJECT, incarnation: FIRST_LIFE }]
  const rollCall: RollCall = { leader: LEADER, epoch: roster.epoch, term: 3, nonce: 'a1', subjects, ...parts }
  return { rollCall, signature: standInKeyring(rollCall.leader).sign('roll-call', rollCall) }
}

export function answerOf(voter: string, parts: Partial<Answer> = {}): SignedAnswer {
  const answer: Answer = {
    nonce: 'a1',
    epoch: roster.epoch,
    voter,
    voterSerial: 1,
    subject: SUBJECT,
    ...SILENT,
    ...parts,
  }
  return { answer, signature: standInKeyring(voter).sign('answer', answer) }
}

/** The desk of `ME`, which answers what `own` holds at the moment. */
export class Desk {
  own: Own | undefined = SILENT
  isDegraded = false
  readonly links = new Links()
  readonly #desk: RollCallDesk

  constructor() {
    const voter: Voter = {
      node: ME,
      serial: 1,
      observes: (subject) => subject === SUBJECT,
      answer: () => this.own,
      isDegraded: () => this.isDegraded,
    }
    for (const peer of [PARENT, SECOND, THIRD]) this.links.opened(peer, 'me')
    this.links.opened(nodeName(9), 'them')
    this.#desk = new RollCallDesk(voter, new Membership(roster), standInKeyring(ME), DEFAULT_TIMING)
  }

  receive(ms: number, call: SignedRollCall, from = PARENT): readonly Effect[] {
    return this.#desk.receive(ms, from, call, this.links)
  }

  relay(
    ms: number,
    answers: readonly SignedAnswer[],
    present = emptyPresence(20),
    degraded: Uint8Array = NOBODY,
  ): void {
    this.#desk.relay(ms, { kind: 'answers', nonce: 'a1', present, degraded, answers })
  }

  /** What flows back at this moment, by whom it is sent to. */
  flowsBack(ms: number): ReadonlyMap<string, Extract<Message, { kind: 'answers' }>> {
    return new Map(
      this.#desk.tick(ms).flatMap((effect) => {
        return effect.kind === 'send' && effect.message.kind === 'answers' ? [[effect.to, effect.message] as const] : []
      }),
    )
  }

  get uplinks(): readonly string[] {
    return this.#desk.uplinks
  }

  get term(): number {
    return this.#desk.term
  }

  get leader(): string {
    return this.#desk.leader
  }

  advanced(): void {
    this.#desk.advanced()
  }

  get nextAt() {
    return (ms: number) => this.#desk.nextAt(ms)
  }
}

export function recipients(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.to] : []))
}
