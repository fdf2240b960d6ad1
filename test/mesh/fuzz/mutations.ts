/** What an enrolled liar may make of a valid frame: of its bytes, of its values, and of who signs them. */
import { decode, encode } from 'cborg'
import type { Keyring, Purpose } from '../../../mesh/core/model.ts'
import { at, isRecord, mapped, type Path, type Plain, pathsIn, withAt } from './plain.ts'

/** What an honest member would say now, wherever such a field is. */
export interface Present {
  readonly serial: number
  readonly voterSerial: number
  readonly boot: number
  readonly seq: number
  readonly epoch: number
  readonly term: number
  /** Of the latest roll-call. */
  readonly nonce: string
}

export interface Liar {
  readonly node: string
  readonly keyring: Keyring
  /** Names to say things in. */
  readonly nodes: readonly string[]
  present(): Present
}

export class Dice {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  below(count: number): number {
    return Math.floor(this.#random() * count)
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }
}

/** Of bytes. */
const BYTE_MUTATIONS: readonly ((bytes: Uint8Array, dice: Dice) => Uint8Array)[] = [
  bitFlipped,
  (bytes, dice) => bytes.slice(0, dice.below(bytes.length)),
  (bytes, dice) => Buffer.concat([bytes, bytes.slice(0, 1 + dice.below(20))]),
  lyingLength,
  duplicatedKey,
]

function bitFlipped(bytes: Uint8Array, dice: Dice): Uint8Array {
  const place = dice.below(bytes.length)
  return bytes.with(place, (bytes[place] ?? 0) ^ (1 << dice.below(8)))
}

/** A head that says 2^32 or more of something: bytes, letters, entries, fields. */
function lyingLength(bytes: Uint8Array, dice: Dice): Uint8Array {
  const place = dice.below(bytes.length)
  const head = dice.pick([0x5b, 0x7b, 0x9b, 0xbb, 0x5a, 0x7a, 0x9a, 0xba, 0x9f, 0xbf])
  const length = dice.pick([
    [0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 1, 0, 0, 0, 0],
    [0, 0x10, 0, 0],
  ])
  return Buffer.concat([bytes.slice(0, place), Uint8Array.from([head, ...length]), bytes.slice(place + 1)])
}

/** The outermost map with one of its fields a second time. */
function duplicatedKey(bytes: Uint8Array, dice: Dice): Uint8Array {
  const value = decode(bytes) as Plain
  if (!isRecord(value)) return bytes
  const name = dice.pick(Object.keys(value))
  return Buffer.concat([Uint8Array.of((bytes[0] ?? 0) + 1), bytes.slice(1), encode(name), encode(value[name])])
}

/** Of any type, at the edges of what anybody could allow, and beyond. */
const HOSTILE: readonly ((dice: Dice) => Plain)[] = [
  () => null,
  () => true,
  () => -1,
  () => 0,
  () => 0.5,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 2 ** 31,
  () => Number.MAX_SAFE_INTEGER,
  () => 2n ** 60n,
  () => 2 ** 60,
  () => '',
  () => '__proto__',
  () => 'constructor',
  () => 'toString',
  () => '\u0000\ud800',
  (dice) => 'a'.repeat(dice.pick([100, 101, 253, 254, 300, 301, 4_000])),
  () => [],
  () => ({}),
  (dice) => nested(dice.pick([10, 1_000])),
  (dice) => new Uint8Array(dice.pick([0, 63, 64, 65, 8_193, 65_537])),
  (dice) => Array.from({ length: dice.pick([5, 257, 1_025]) }, () => 'a'),
  () => 1_600_000_000_000,
]

function nested(depth: number): Plain {
  let value: Plain = []
  for (let level = 0; level < depth; level++) value = [value]
  return value
}

type ValueMutation = (value: Plain, path: Path, dice: Dice, liar: Liar) => Plain

const VALUE_MUTATIONS: readonly ValueMutation[] = [
  (value, path, dice) => withAt(value, path, () => dice.pick(HOSTILE)(dice)),
  // A field is gone, there twice under another name, or there though nobody knows it.
  (value, path, dice) =>
    withAt(value, path, (part) => {
      if (!isRecord(part)) return part
      const gone = dice.pick(Object.keys(part))
      return Object.fromEntries(Object.entries(part).filter(([name]) => name !== gone))
    }),
  (value, path, dice) =>
    withAt(value, path, (part) =>
      isRecord(part) ? { ...part, [dice.pick(['more', '__proto__', 'kind', 'toString'])]: 1 } : part,
    ),
  // Two places change what they hold.
  (value, path, dice) => {
    const other = dice.pick(pathsIn(value))
    const [mine, theirs] = [at(value, path), at(value, other)]
    return withAt(
      withAt(value, path, () => theirs),
      other,
      () => mine,
    )
  },
  // A little more or less: older, newer, the next epoch, far in the future.
  (value, path, dice) =>
    withAt(value, path, (part) => (typeof part === 'number' ? part + dice.pick([-1, 1, 1, 1_000, 2 ** 32]) : part)),
  // Somebody else's name.
  (value, path, dice, { nodes }) => withAt(value, path, (part) => (typeof part === 'string' ? dice.pick(nodes) : part)),
  // More of the same: one too many of anything that is counted, long ways, ways in a circle.
  (value, path, dice) =>
    withAt(value, path, (part) => {
      if (!Array.isArray(part)) return part
      const times = dice.pick([2, 5, 300])
      return Array.from({ length: times }, () => part as readonly Plain[])
        .flat()
        .slice(0, 1_100)
    }),
  (value, path) => withAt(value, path, (part) => (Array.isArray(part) ? part.toReversed() : part)),
  // A signature with one bit wrong.
  (value, path, dice) =>
    withAt(value, path, (part) =>
      part instanceof Uint8Array && part.length > 0 ? part.with(dice.below(part.length), dice.below(256)) : part,
    ),
]

/** Which field of a signed thing is signed, for what purpose, and which field of that names the signer. */
export const SIGNED: readonly (readonly [part: string, purpose: Purpose, signer: string])[] = [
  ['statement', 'statement', 'signer'],
  ['rollCall', 'roll-call', 'leader'],
  ['answer', 'answer', 'voter'],
]

/** All that is signed in it is said by the liar itself, truly signed, mostly under its own name, and now. */
function ownedBy(liar: Liar, value: Plain, dice: Dice): Plain {
  const now = liar.present()
  return mapped(value, (part) => {
    if (!isRecord(part)) return part
    if ('answers' in part) return { ...part, nonce: now.nonce }
    for (const [name, purpose, signer] of SIGNED) {
      const payload = part[name]
      if (payload === undefined || !isRecord(payload)) continue
      const body = payload.body
      const asNow = {
        ...renewed(payload, now),
        ...(isRecord(body ?? null) ? { body: renewed(body as typeof payload, now) } : {}),
      }
      const said = dice.below(10) === 0 ? asNow : { ...asNow, [signer]: liar.node }
      return { ...part, [name]: said, signature: signed(liar.keyring, purpose, said) }
    }
    return part
  })
}

function renewed(payload: { readonly [field: string]: Plain }, now: Present): { readonly [field: string]: Plain } {
  const fields = Object.entries(payload).map(([name, part]) => [
    name,
    Object.hasOwn(now, name) ? now[name as keyof Present] : part,
  ])
  return Object.fromEntries(fields)
}

/** What cannot be encoded cannot be signed either. */
function signed(keyring: Keyring, purpose: Purpose, payload: Plain): Uint8Array {
  try {
    return keyring.sign(purpose, payload)
  } catch {
    return new Uint8Array(64)
  }
}

/** A frame as this liar may send it. Now and then as it was: replayed. */
export function mutated(frame: Uint8Array, liar: Liar, dice: Dice): Uint8Array {
  const how = dice.below(10)
  if (how === 0) return frame
  if (how <= 2) return dice.pick(BYTE_MUTATIONS)(frame, dice)
  let value = decode(frame) as Plain
  for (let count = dice.below(3); count >= 0; count--) {
    value = dice.pick(VALUE_MUTATIONS)(value, dice.pick(pathsIn(value)), dice, liar)
  }
  if (dice.below(2) === 0) value = ownedBy(liar, value, dice)
  return encode(value)
}
