/**
 * A member that is enrolled, has completed its handshake, and sends whatever it likes: valid frames changed in every way
 * that bytes, values and signatures can be, to an honest member and to an aggregator. An exception that nobody catches fails
 * the run by itself. STARLING_FUZZ_SECONDS makes it longer, STARLING_SEED repeats what was sent.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { multiaddr } from '@multiformats/multiaddr'
import * as lengthPrefixed from 'it-length-prefixed'
import { beforeAll, expect, test, vi } from 'vitest'
import { KEYS_PER_MEMBER } from '../../mesh/core/gossip.ts'
import type { Message } from '../../mesh/core/message.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { CodecCoverage } from './fuzz/codec-coverage.ts'
import type { Liar } from './fuzz/mutations.ts'
import type { LiveNode, Puppet } from './live-mesh.ts'
import type { RealMesh } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'
import { PATIENCE } from './sockets.ts'

const coverage = new CodecCoverage()
// Loaded only now, so that their blocks are counted.
const { decodeMessage, encodeMessage, FRAME_BYTES_MAX } = await import('../../mesh/wire/codec.ts')
const { bareNode, foundOnLoopback, helloOf, live, memberPuppet } = await import('./live-mesh.ts')
const { asOf, recordHonest } = await import('./fuzz/recorded.ts')
const { Dice, mutated } = await import('./fuzz/mutations.ts')
const { allFields, refusedFields } = await import('./fuzz/schema-fields.ts')

const SECONDS = Number(process.env.STARLING_FUZZ_SECONDS ?? 20)
const SEED = Number(process.env.STARLING_SEED)
const HONEST = [nodeName(0), nodeName(1), nodeName(2), nodeName(3)]
const [MEMBER = ''] = HONEST
const HOSTILE = nodeName(4)
/** The latest frames that it was sent itself. */
const FRESH_MAX = 100
/** What honest nodes may hold more in the end: hardly anything, whatever they were sent. */
const HELD_BYTES_MAX = 64 * 1024 * 1024
const COVERAGE_MIN = 95

let mesh: RealMesh
let nodes: ReadonlyMap<string, LiveNode>
let liar: Liar
let nonce = '0'
let seq = 1_000

beforeAll(async () => {
  mesh = await foundOnLoopback(HONEST.length + 1, 130)
  const started = [...HONEST, LEADER].map(async (name) => [name, await live(mesh, name)] as const)
  nodes = new Map(await Promise.all(started))
  const { serial } = mesh.enrolled(HOSTILE).member
  const { epoch } = mesh.roster
  const present = () => ({ serial, voterSerial: serial, boot: 1, seq: ++seq, epoch, term: 1, nonce })
  liar = { node: HOSTILE, keyring: mesh.keyringOf(HOSTILE), nodes: [...HONEST, HOSTILE, LEADER, 'stranger'], present }
  await areUnharmed()
})

function nodeOf(name: string): LiveNode {
  const node = nodes.get(name)
  if (node === undefined) throw new Error(`${name} does not run`)
  return node
}

/** All honest nodes hear each other, none has ever accused another, and nobody was convicted. */
async function areUnharmed(): Promise<void> {
  const pairs = [...HONEST, LEADER].flatMap((name) => HONEST.map((peer) => [name, peer] as const))
  await Promise.all(pairs.filter(([name, peer]) => name !== peer).map(([name, peer]) => nodeOf(name).hears(peer)))
  const { commits, notices, accusations } = nodeOf(LEADER).told
  expect(commits).toEqual([])
  expect(notices.get('recovered')).toBeUndefined()
  // What they said in an earlier life is only played again.
  expect(accusations.filter(({ signer, boot, about }) => signer !== HOSTILE && boot > 0 && about !== HOSTILE)).toEqual(
    [],
  )
}

/** It is a member like any other by then: its edges are up. */
async function hostile(onFrame?: (frame: Uint8Array) => void): Promise<Puppet> {
  const bad = await memberPuppet(mesh, HOSTILE, { onFrame })
  await Promise.all([MEMBER, LEADER].map((name) => nodeOf(name).hears(HOSTILE)))
  return bad
}

/** What is alive in this process, in which all of them run. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A note of its own, in order, under a key of its own. */
function noteFrame(topic: string, bytes: number): Uint8Array {
  const { serial, boot, seq } = liar.present()
  const body = { kind: 'note', topic, bytes: new Uint8Array(bytes) } as const
  const statement = { signer: HOSTILE, serial, boot, seq, ttlMs: 60_000, body }
  const signed = { statement, signature: liar.keyring.sign('statement', statement) }
  return encodeMessage({ kind: 'gossip', items: [{ signed, ageMs: 0 }] })
}

test('changed frames are refused or change nothing; only those that are no message cut it off, and it comes back', {
  timeout: (SECONDS + 60) * 1_000,
}, async () => {
  const dice = new Dice(seededRandom(SEED))
  const recorded = recordHonest().map((message) => asOf(mesh, message))
  const kinds = new Set(recorded.map((frame) => decodeMessage(frame).kind))
  expect(kinds.size).toBe(12)
  const fresh: Uint8Array[] = []
  const bad = await hostile((frame) => {
    const message = decodeMessage(frame)
    if (message.kind === 'roll-call') nonce = message.call.rollCall.nonce
    fresh[dice.below(FRESH_MAX)] = frame
  })
  const refused = new Set<string>()
  const malformed = new Map([MEMBER, LEADER].map((name) => [name, nodeOf(name).drops('frame')]))
  const before = heldBytes()
  let sent = 0
  for (const until = performance.now() + SECONDS * 1_000; performance.now() < until; sent++) {
    const target = dice.pick([MEMBER, LEADER])
    const known = Object.values(fresh)
    const frame = mutated(dice.pick(dice.below(4) === 0 && known.length > 0 ? known : recorded), liar, dice)
    const { member } = mesh.enrolled(target)
    const fields = refusedFields(frame)
    await bad.says(member, frame)
    if (fields === undefined) continue
    for (const field of fields) refused.add(field)
    const count = (malformed.get(target) ?? 0) + 1
    malformed.set(target, count)
    await bad.until(() => !bad.open.has(target), `cut off by ${target}`)
    // Its stream may have ended for another reason, such as an ack that it owed too long.
    if (nodeOf(target).drops('frame') < count) malformed.set(target, count - 1)
  }
  for (const [target, count] of malformed) expect(nodeOf(target).drops('frame')).toBe(count)
  await areUnharmed()
  const all = allFields()
  const missed = [...all].filter((field) => !refused.has(field))
  const codec = coverage.stop()
  const byWhy = [...nodes.values()].map(({ told: { drops } }) => Object.fromEntries(drops))
  process.stderr.write(
    `fuzzer: seed ${SEED}, ${sent} frames in ${SECONDS} s, refused by why: ${JSON.stringify(byWhy)}\n`,
  )
  process.stderr.write(`codec coverage ${codec.toFixed(1)} %\n`)
  process.stderr.write(
    `schema: ${all.size - missed.length} of ${all.size} fields refused something; not: ${missed.join(', ')}\n`,
  )
  expect(codec).toBeGreaterThanOrEqual(COVERAGE_MIN)
  expect(heldBytes() - before).toBeLessThan(HELD_BYTES_MAX)
})

test('a flood of what is in order is answered or refused, and costs nobody an edge', async () => {
  const bad = await hostile()
  const { epoch } = mesh.roster
  const floods: readonly Message[] = [
    { kind: 'want-roster', epoch },
    { kind: 'digest', part: 0, parts: 1, entries: [] },
    { kind: 'hint', path: [LEADER, MEMBER, LEADER, MEMBER], from: HOSTILE, subject: HONEST[1] ?? '' },
    { kind: 'probe', seq: 1 },
  ]
  for (const target of [MEMBER, LEADER]) await bad.dials(mesh.enrolled(target).member)
  const before = heldBytes()
  for (const target of [MEMBER, LEADER]) {
    const { member } = mesh.enrolled(target)
    for (const frame of floods.map(encodeMessage))
      for (let count = 0; count < 1_000; count++) await bad.says(member, frame)
    for (let count = 0; count < KEYS_PER_MEMBER * 2; count++) await bad.says(member, noteFrame(`topic-${count}`, 1_000))
    await vi.waitFor(() => expect(nodeOf(target).drops('bound')).toBeGreaterThan(0), PATIENCE)
  }
  await areUnharmed()
  expect(heldBytes() - before).toBeLessThan(HELD_BYTES_MAX)
})

test('frames count, however they are cut into packets; one that is too large, or ends early, is none', async () => {
  await hostile()
  const { member, keys, certificate } = mesh.enrolled(HOSTILE)
  const hello = helloOf(certificate, { serial: member.serial, boot: 1, refutations: 0 })
  const { hosts, meshPort, peerId } = mesh.enrolled(MEMBER).member
  const address = multiaddr(`/ip4/${hosts[0]}/tcp/${meshPort}/p2p/${peerId}`)
  const prefixed = (frame: Uint8Array) => lengthPrefixed.encode.single(frame).subarray()
  const probe = prefixed(encodeMessage({ kind: 'probe', seq: 1 }))
  const bare = await bareNode(keys)
  const says = async (...chunks: readonly Uint8Array[]) => {
    const stream = await bare.dialProtocol(address, '/starling/mesh/1')
    for (const chunk of [prefixed(hello), ...chunks]) stream.send(chunk)
    return stream
  }
  const node = nodeOf(MEMBER)
  const heard = node.received('probe')
  await says(Buffer.concat(Array.from({ length: 50 }, () => probe)))
  await vi.waitFor(() => expect(node.received('probe')).toBeGreaterThanOrEqual(heard + 50), PATIENCE)
  const again = node.received('probe')
  await says(...Array.from(Buffer.concat(Array.from({ length: 20 }, () => probe)), (byte) => Uint8Array.of(byte)))
  await vi.waitFor(() => expect(node.received('probe')).toBeGreaterThanOrEqual(again + 20), PATIENCE)

  const tooMuch: readonly Uint8Array[] = [
    prefixed(new Uint8Array(0)),
    prefixed(new Uint8Array(FRAME_BYTES_MAX)),
    prefixed(new Uint8Array(FRAME_BYTES_MAX + 1)),
    new Uint8Array(12).fill(0xff),
    prefixed(new Uint8Array(2_000_000).fill(0x81)),
  ]
  for (const [index, bytes] of tooMuch.entries()) {
    const before = node.drops('frame')
    const stream = await says(bytes)
    await vi.waitFor(() => expect(node.drops('frame'), `${index}`).toBe(before + 1), PATIENCE)
    await vi.waitFor(() => expect(stream.status).not.toBe('open'), PATIENCE)
  }
  const unfinished = await says(Buffer.concat([probe, probe.slice(0, 3)]))
  await unfinished.close()
  await areUnharmed()
})
