/** A later roster spreads with the first roll-call on it, and nobody is made to read rosters at a peer's pleasure. */
import { describe, expect, test } from 'vitest'
import { Core } from '../../mesh/core/core.ts'
import type { Effect, Input, Message } from '../../mesh/core/message.ts'
import type { Roster, SignedRollCall } from '../../mesh/core/model.ts'
import { RosterExchange } from '../../mesh/core/roster-exchange.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import {
  FIRST_LIFE,
  LEADER,
  momentAt,
  nodeName,
  rosterOf,
  sampleMember,
  sampleRoster,
  standInKeyring,
} from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 6 })
const NEWCOMER = 'node-9999'
const GONE = nodeName(5)
const later: Roster = {
  ...rosterOf([...roster.members.filter(({ node }) => node !== GONE), sampleMember(NEWCOMER)]),
  epoch: roster.epoch + 1,
}
/** What the adapters check and read rosters from. */
const BYTES = new Map([roster, later].map((one) => [one, Uint8Array.of(one.epoch)]))
const bytesOf = (one: Roster) => BYTES.get(one) ?? new Uint8Array(0)
const HASH = 'cd'.repeat(32)

function callOn(epoch: number, nonce = 'a1'): SignedRollCall {
  const rollCall = { leader: LEADER, epoch, term: 1, nonce, subjects: [] }
  return { rollCall, signature: standInKeyring(LEADER).sign('roll-call', rollCall) }
}

const send = (to: string, message: Message): Effect => ({ kind: 'send', to, via: 'any', message })

describe('the exchange', () => {
  const exchange = () => new RosterExchange(7, Uint8Array.of(7))
  const dropped = (from: string) => [{ kind: 'dropped', why: 'roster', from }]

  test('asks whoever brings a roll-call of a later epoch, once until it answers', () => {
    const mine = exchange()
    expect(mine.hold('a', callOn(8))).toEqual([send('a', { kind: 'want-roster', epoch: 8 })])
    expect(mine.hold('a', callOn(8, 'a2'))).toEqual([])
    expect(mine.hold('b', callOn(8))).toHaveLength(1)
    mine.offered('a', 8, Uint8Array.of(8))
    expect(mine.hold('a', callOn(8, 'a3'))).toHaveLength(1)
  })

  test('takes only what it asked for, and only what is later', () => {
    const mine = exchange()
    expect(mine.offered('a', 8, Uint8Array.of(8))).toEqual(dropped('a'))
    mine.hold('a', callOn(8))
    expect(mine.offered('b', 8, Uint8Array.of(8))).toEqual(dropped('b'))
    expect(mine.offered('a', 7, Uint8Array.of(7))).toEqual(dropped('a'))
    mine.hold('a', callOn(8))
    expect(mine.offered('a', 8, Uint8Array.of(8))).toEqual([
      { kind: 'rosterOffered', from: 'a', bytes: Uint8Array.of(8) },
    ])
    expect(mine.offered('a', 8, Uint8Array.of(8))).toEqual(dropped('a'))
  })

  test('seeks one that nobody has told of, and still asks the same peer when that tells of one', () => {
    const mine = exchange()
    expect(mine.seek('a')).toEqual([send('a', { kind: 'want-roster', epoch: 8 })])
    expect(mine.hold('a', callOn(8))).toHaveLength(1)
    expect(mine.offered('a', 8, Uint8Array.of(8))).toHaveLength(1)
    expect(mine.offered('b', 8, Uint8Array.of(8))).toEqual(dropped('b'))
  })

  test('hands on the roster in force to whoever wants it or an earlier one, not one that it has not', () => {
    const mine = exchange()
    expect(mine.wanted('a', 8)).toEqual([])
    const message: Message = { kind: 'roster', epoch: 7, bytes: Uint8Array.of(7) }
    for (const epoch of [7, 6]) expect(mine.wanted('a', epoch)).toEqual([send('a', message)])
    mine.advanced(8, Uint8Array.of(8))
    expect(mine.wanted('a', 8)).toEqual([send('a', { kind: 'roster', epoch: 8, bytes: Uint8Array.of(8) })])
  })

  test('keeps the latest roll-call of each of four peers, and gives back those that the new roster serves', () => {
    const mine = exchange()
    for (const peer of ['a', 'b', 'c', 'd', 'e']) mine.hold(peer, callOn(8))
    mine.hold('c', callOn(9, 'b2'))
    const held = mine.advanced(8, Uint8Array.of(8))
    expect(held.map(({ from }) => from)).toEqual(['b', 'd', 'e'])
    expect(mine.advanced(9, Uint8Array.of(9))).toEqual([])
  })
})

/** Cores whose messages reach each other at once, and whose owners check rosters as the adapter does. */
class Cores {
  readonly cores: ReadonlyMap<string, Core>
  readonly log: { readonly at: string; readonly effect: Effect }[] = []
  readonly #queue: { readonly to: string; readonly input: Input }[] = []

  constructor(...nodes: readonly string[]) {
    this.cores = new Map(nodes.map((node) => [node, coreOf(node)]))
  }

  connect(a: string, b: string): this {
    const opened = (peer: string, by: 'me' | 'them'): Input => ({ kind: 'opened', peer, by, incarnation: FIRST_LIFE })
    return this.tell(a, opened(b, 'me')).tell(b, opened(a, 'them'))
  }

  tell(node: string, input: Input): this {
    this.#queue.push({ to: node, input })
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { to, input } = next
      for (const effect of this.cores.get(to)?.step(momentAt(1), input) ?? []) this.#perform(to, effect)
    }
    return this
  }

  epochs(): readonly (number | undefined)[] {
    return [...this.cores.values()].map((core) => core.roster.epoch)
  }

  #perform(at: string, effect: Effect): void {
    this.log.push({ at, effect })
    if (effect.kind === 'send')
      this.#queue.push({ to: effect.to, input: { kind: 'message', from: at, message: effect.message } })
    if (effect.kind !== 'rosterOffered') return
    const [read] = [...BYTES].find(([, bytes]) => bytes[0] === effect.bytes[0]) ?? []
    if (read !== undefined)
      this.#queue.push({ to: at, input: { kind: 'roster', roster: read, hash: HASH, bytes: effect.bytes } })
  }
}

function coreOf(node: string): Core {
  const random = seededRandom(1)
  const parts = {
    rosterBytes: bytesOf(roster),
    keyring: standInKeyring(node),
    timing: DEFAULT_TIMING,
    random: () => random(),
  }
  const office = { rosterHash: HASH, saidBefore: [], heartbeats: false, nonce: () => 'b1' }
  const aggregator = roster.aggregators.some((one) => one.node === node) ? { aggregator: office } : {}
  return new Core(momentAt(0), { node, incarnation: FIRST_LIFE, roster, ...parts, ...aggregator })
}

describe('a later roster', () => {
  const [A, B, C] = [nodeName(0), nodeName(1), nodeName(2)]
  const advance: Input = { kind: 'roster', roster: later, hash: HASH, bytes: bytesOf(later) }
  const call: Input = { kind: 'message', from: LEADER, message: { kind: 'roll-call', call: callOn(later.epoch) } }

  test('reaches members one after the other with the first roll-call on it, which they then answer', () => {
    const cores = new Cores(A, B, C).connect(A, B).connect(B, C)
    cores.tell(A, advance)
    expect(cores.epochs()).toEqual([8, 7, 7])
    cores.tell(A, call)
    expect(cores.epochs()).toEqual([8, 8, 8])
    const offers = cores.log.filter(({ effect }) => effect.kind === 'rosterOffered').map(({ at }) => at)
    expect(offers).toEqual([B, C])
    const answered = cores.log.filter(({ effect }) => effect.kind === 'send' && effect.message.kind === 'answers')
    expect(new Set(answered.map(({ at }) => at))).toEqual(new Set([A, B, C]))
  })

  test('reaches an aggregator that stands by with a roll-call of the one that leads', () => {
    const cores = new Cores(LEADER, A).connect(LEADER, A).tell(A, advance)
    cores.tell(LEADER, { kind: 'message', from: A, message: { kind: 'roll-call', call: callOn(later.epoch) } })
    expect(cores.epochs()).toEqual([8, 8])
  })

  test('reaches an aggregator that would lead where nobody does, and then it is answered', () => {
    const cores = new Cores(LEADER, A).connect(LEADER, A).tell(A, advance)
    const answers = () => cores.log.filter(({ effect }) => effect.kind === 'send' && effect.message.kind === 'answers')
    cores.tell(LEADER, { kind: 'canvass', term: 1 })
    expect(cores.epochs()).toEqual([8, 8])
    expect(answers()).toEqual([])
    cores.tell(LEADER, { kind: 'canvass', term: 2 })
    expect(new Set(answers().map(({ at }) => at))).toEqual(new Set([A]))
  })

  test('that nobody asked for is dropped', () => {
    const cores = new Cores(A, B).connect(A, B)
    const message: Message = { kind: 'roster', epoch: later.epoch, bytes: bytesOf(later) }
    cores.tell(B, { kind: 'message', from: A, message })
    expect(cores.epochs()).toEqual([7, 7])
    expect(cores.log.at(-1)?.effect).toEqual({ kind: 'dropped', why: 'roster', from: A })
  })

  test('is in force once: an earlier one, or the same again, changes nothing', () => {
    const cores = new Cores(A).tell(A, advance)
    const back: Input = { kind: 'roster', roster, hash: HASH, bytes: bytesOf(roster) }
    cores.tell(A, back).tell(A, advance)
    expect(cores.epochs()).toEqual([8])
    expect(cores.log).toEqual([])
  })

  test('ends the edges to members that are gone, and only those', () => {
    const cores = new Cores(A, B).connect(A, B)
    cores.tell(A, { kind: 'opened', peer: GONE, by: 'them', incarnation: FIRST_LIFE }).tell(A, advance)
    const aborted = cores.log.flatMap(({ effect }) => (effect.kind === 'abort' ? [effect.peer] : []))
    expect(aborted).toEqual([GONE])
  })

  test('ends the edge to who had the name of a member that enrolled anew, and dials that one', () => {
    const replaced = { ...sampleMember(B), serial: 99 }
    const anew = {
      ...rosterOf([...roster.members.filter(({ node }) => node !== B), replaced]),
      epoch: roster.epoch + 1,
    }
    const cores = new Cores(A, B, C).connect(A, B).connect(A, C).tell(A, { kind: 'tick' })
    const dialsBefore = cores.log.filter(({ at, effect }) => at === A && effect.kind === 'dial').length
    cores.tell(A, { kind: 'roster', roster: anew, hash: HASH, bytes: bytesOf(later) }).tell(A, { kind: 'tick' })
    const aborted = cores.log.flatMap(({ effect }) => (effect.kind === 'abort' ? [effect.peer] : []))
    expect(aborted).toEqual([B])
    const dials = cores.log.flatMap(({ at, effect }) => (at === A && effect.kind === 'dial' ? [effect.peer] : []))
    expect(dials.slice(dialsBefore)).toEqual([B])
  })

  test('has its new member dialled and its gone one no more', () => {
    const cores = new Cores(A).tell(A, advance).tell(A, { kind: 'tick' })
    const dialled = cores.log.flatMap(({ effect }) => (effect.kind === 'dial' ? [effect.peer] : []))
    expect(dialled).toContain(NEWCOMER)
    expect(dialled).not.toContain(GONE)
  })
})
