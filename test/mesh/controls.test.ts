/** Whom a node connects to at the same time as a host that it doubts, to know that it is not cut off itself. */
import { expect, test } from 'vitest'
import { Core } from '../../mesh/core/core.ts'
import type { Effect, Message } from '../../mesh/core/message.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { FIRST_LIFE, momentAt, nodeName, sampleRoster, standInKeyring } from './sample-mesh.ts'

const roster = sampleRoster({ nodes: 20 })
const ring = ringOf(roster)
const ME = nodeName(0)
const SUBJECTS = ring.subjectsOf(ME)
const [DOUBTED = '', ...OTHERS] = SUBJECTS
const CONTROLS = 3

/** A node that all its subjects have answered. */
class Node {
  readonly #core = new Core(momentAt(0), {
    node: ME,
    incarnation: FIRST_LIFE,
    roster,
    rosterBytes: new Uint8Array(0),
    keyring: standInKeyring(ME),
    timing: DEFAULT_TIMING,
    random: seededRandom(1),
  })

  constructor() {
    this.#core.step(momentAt(0), { kind: 'tick' })
    for (const peer of SUBJECTS) {
      const sent = this.#core.step(momentAt(1), { kind: 'opened', peer, by: 'me', incarnation: FIRST_LIFE })
      for (const effect of sent) {
        if (effect.kind !== 'send' || effect.message.kind !== 'probe') continue
        this.tells(2, peer, { kind: 'ack', seq: effect.message.seq, wallMs: 0, incarnation: FIRST_LIFE })
      }
    }
  }

  tells(ms: number, from: string, message: Message): readonly Effect[] {
    return this.#core.step(momentAt(ms), { kind: 'message', from, message })
  }

  /** Its host took connects while it was well. */
  calibrates(subject: string): this {
    const answer = { ports: { agent: 'userland', kubelet: 'userland' }, control: false } as const
    this.#core.step(momentAt(3), { kind: 'hostAnswer', subject, answer })
    return this
  }

  closes(peer: string): this {
    this.#core.step(momentAt(4), { kind: 'closed', peer, by: 'me' })
    return this
  }

  /** A co-observer hints: whom it takes for controls. */
  get controls(): readonly string[] {
    const [from = ''] = ring.observersOf(DOUBTED).filter((node) => node !== ME)
    const effects = this.tells(10, from, { kind: 'hint', path: [], from, subject: DOUBTED })
    return effects.flatMap((effect) => (effect.kind === 'askHost' ? effect.controls : []))
  }

  /** Whom it takes to keep its paths known, in the next beats. */
  get controlsWhileWell(): readonly (readonly string[])[] {
    const found: (readonly string[])[] = []
    for (let ms = 100; ms <= 1_000; ms += 100) {
      for (const effect of this.#core.step(momentAt(ms), { kind: 'tick' })) {
        if (effect.kind === 'askHost') found.push(effect.controls)
        if (effect.kind !== 'send' || effect.message.kind !== 'probe') continue
        this.tells(ms, effect.to, { kind: 'ack', seq: effect.message.seq, wallMs: 0, incarnation: FIRST_LIFE })
      }
    }
    return found
  }
}

test('they are three others that answered', () => {
  const { controls } = new Node()
  expect(new Set(controls).size).toBe(CONTROLS)
  expect(OTHERS).toEqual(expect.arrayContaining([...controls]))
})

test('those whose hosts are known to take connects come first: another may have a full connection table', () => {
  const known = OTHERS.slice(-2)
  const node = new Node()
  for (const subject of known) node.calibrates(subject)
  expect(new Set(node.controls.slice(0, 2))).toEqual(new Set(known))
})

test('none of them is in doubt itself, and there may be none', () => {
  const node = new Node()
  const [left = ''] = OTHERS
  for (const subject of OTHERS.slice(1)) node.closes(subject)
  expect(node.controls).toEqual([left])
  const alone = new Node()
  for (const subject of OTHERS) alone.closes(subject)
  expect(alone.controls).toEqual([])
})

test('a host that is well is asked without: nothing hangs on the answer', () => {
  const asked = new Node().controlsWhileWell
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.flat()).toEqual([])
})
