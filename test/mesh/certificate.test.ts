import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Verification, verifyCertificate } from '../../mesh/core/certificate.ts'
import type { Answer, Certificate, Roster, SignedAnswer } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { verifierFor } from '../../mesh/identity/keyring.ts'
import { decodeValue, encodeValue } from '../../mesh/wire/codec.ts'
import { certificateSchema } from '../../mesh/wire/schema.ts'
import { DrivenLeader } from './driven-leader.ts'
import { foundMesh, type RealMesh } from './real-mesh.ts'
import { nodeName } from './sample-mesh.ts'

const SUBJECT = nodeName(4)

let mesh: RealMesh
let leader: DrivenLeader
let genuine: Certificate

function leaderOf(mesh: RealMesh, gone: readonly string[] = []): DrivenLeader {
  const standing = gone.map((subject) => {
    return {
      verdictId: `ff-${subject}`,
      kind: 'NodeDown',
      subject,
      incarnation: { serial: 1, boot: 1, refutations: 0 },
    } as const
  })
  const { roster, rosterHash } = mesh
  const driven = new DrivenLeader({ roster, rosterHash, standing, keyringOf: (node) => mesh.keyringOf(node) })
  driven.serialOf = (node) => mesh.enrolled(node).member.serial
  return driven
}

function onlyCertificate(driven: DrivenLeader): Certificate {
  const [certificate] = driven.certificates
  if (certificate === undefined) throw new Error('the leader made no verdict')
  return certificate
}

function verify(certificate: Certificate, roster: Roster = mesh.roster, hash = mesh.rosterHash): Verification {
  const keyring = { ...mesh.keyringOf(SUBJECT), verify: verifierFor(roster) }
  return verifyCertificate(certificate, roster, hash, keyring, DEFAULT_TIMING)
}

beforeAll(async () => {
  mesh = await foundMesh(20)
  leader = leaderOf(mesh, [leaderOf(mesh).observersOf(SUBJECT)[0] ?? '']).convict(SUBJECT, 0)
  genuine = onlyCertificate(leader)
})

describe('a certificate', () => {
  test('of the leader verifies with nothing but the roster', () => {
    expect(verify(genuine)).toEqual({ valid: true })
    expect(genuine.excused).toHaveLength(1)
  })

  test('verifies after it was stored and read again', () => {
    const read = decodeValue(certificateSchema, encodeValue(genuine))
    expect(encodeValue(read)).toEqual(encodeValue(genuine))
    expect(verify(read)).toEqual({ valid: true })
  })

  test('of a hung host verifies', () => {
    const hung = leaderOf(mesh).convict(SUBJECT, 0, {
      opinion: 'HostHung',
      channel: 'mute',
      silentMs: 26_000,
      forMs: 26_000,
    })
    const certificate = onlyCertificate(hung)
    expect([certificate.kind, verify(certificate)]).toEqual(['HostHung', { valid: true }])
    expect(verify({ ...certificate, kind: 'NodeDown' }).valid).toBe(false)
  })

  test('of two that died together verifies for each, since each excuses the other', async () => {
    const five = await foundMesh(5)
    const [a = '', b = '', ...rest] = five.roster.members.map(({ node }) => node)
    const driven = leaderOf(five).accuse(a, rest).accuse(b, rest).tick(0)
    driven
      .hears(
        [a, b].flatMap((subject) => rest.map((voter) => driven.answer(subject, voter))),
        rest,
      )
      .tick(300)
    expect(driven.certificates).toHaveLength(2)
    for (const certificate of driven.certificates) {
      const keyring = five.keyringOf(a)
      expect(verifyCertificate(certificate, five.roster, five.rosterHash, keyring, DEFAULT_TIMING)).toEqual({
        valid: true,
      })
    }
  })

  test('does not verify against another roster', () => {
    const { roster } = mesh
    expect(verify(genuine, roster, 'cd'.repeat(32)).valid).toBe(false)
    expect(verify(genuine, { ...roster, epoch: 2 }).valid).toBe(false)
    expect(verify(genuine, { ...roster, mesh: 'other' }).valid).toBe(false)
    expect(verify(genuine, { ...roster, seed: 'other' }).valid).toBe(false)
    expect(verify(genuine, { ...roster, aggregators: [] }).valid).toBe(false)
    const voter = genuine.answers[0]?.answer.voter
    const rekeyed = roster.members.map((member) =>
      member.node === voter
        ? { ...member, peerId: roster.members.find(({ node }) => node !== voter)?.peerId ?? '' }
        : member,
    )
    expect(verify(genuine, { ...roster, members: rekeyed }).valid).toBe(false)
  })

  test('cannot be made of answers that the leader counted otherwise', () => {
    // One of eight answers is left out, and the seven that are left still are a majority.
    const fewer = { ...genuine, answers: genuine.answers.slice(1) }
    expect(verify(fewer)).toMatchObject({ valid: false, why: expect.stringContaining('counted from') })
    const [left, ...voters] = genuine.voters
    expect(left).toBeDefined()
    expect(verify({ ...fewer, voters })).toMatchObject({ valid: false, why: expect.stringContaining('not signed') })
    expect(verify({ ...genuine, present: genuine.present - 1 }).valid).toBe(false)
    expect(verify({ ...genuine, excused: [] }).valid).toBe(false)
  })

  test('does not verify with a vote counted twice', () => {
    const [first] = genuine.answers
    const twice = first === undefined ? [] : [first, ...genuine.answers]
    expect(verify({ ...genuine, answers: twice })).toMatchObject({
      valid: false,
      why: expect.stringContaining('twice'),
    })
  })

  test('does not verify with a vote made by somebody else', () => {
    const liar = mesh.keyringOf(nodeName(9))
    const answers = genuine.answers.map(({ answer }) => ({ answer, signature: liar.sign('answer', answer) }))
    expect(verify({ ...genuine, answers })).toMatchObject({
      valid: false,
      why: expect.stringContaining('not signed by it'),
    })
  })

  test('does not verify when its roll-call is signed by a member, or its signature is for another purpose', () => {
    const { rollCall } = genuine.rollCall
    const forger = mesh.keyringOf(nodeName(9))
    const byMember = {
      rollCall: { ...rollCall, leader: nodeName(9) },
      signature: forger.sign('roll-call', { ...rollCall, leader: nodeName(9) }),
    }
    expect(verify({ ...genuine, rollCall: byMember }).valid).toBe(false)
    const asStatement = { rollCall, signature: mesh.keyringOf(rollCall.leader).sign('statement', rollCall) }
    expect(verify({ ...genuine, rollCall: asStatement }).valid).toBe(false)
  })

  /** What signers really signed, put together by a leader that does not count as it should. */
  const withAnswers = (said: (index: number) => Partial<Answer>): Certificate => {
    const answers = genuine.answers.map(
      ({ answer: { voter } }, index): SignedAnswer => leader.answer(SUBJECT, voter, said(index)),
    )
    return { ...genuine, answers }
  }

  test('does not verify on too few votes, against a veto, or with votes about another life or another membership', () => {
    expect(verify(withAnswers(() => ({}))).valid).toBe(true)
    expect(verify({ ...genuine, answers: genuine.answers.slice(0, 4) }).valid).toBe(false)
    const alive = { opinion: 'Alive', channel: 'unknown' } as const
    expect(verify(withAnswers((index) => (index < 3 ? alive : {}))).valid).toBe(false)
    const earlierLife = { incarnation: { ...genuine.incarnation, boot: 0 } }
    expect(verify(withAnswers(() => earlierLife)).valid).toBe(false)
    expect(verify(withAnswers(() => ({ voterSerial: 999 }))).valid).toBe(false)
    expect(verify(withAnswers(() => ({ nonce: 'ffff' }))).valid).toBe(false)
    expect(verify(withAnswers(() => ({ epoch: 2 }))).valid).toBe(false)
  })

  test('does not verify with a minority, or with more present than there are', () => {
    expect(verify({ ...genuine, present: 10, live: 20 }).valid).toBe(false)
    expect(verify({ ...genuine, present: 21, live: 20 }).valid).toBe(false)
    expect(verify({ ...genuine, present: 30, live: 30 }).valid).toBe(false)
  })

  test('does not verify when its observers are excused away', () => {
    const excused = leader
      .observersOf(SUBJECT)
      .slice(0, 6)
      .map((node) => ({ node, verdictId: 'x' }))
    expect(verify({ ...genuine, excused }).valid).toBe(false)
  })
})

/** Any plain value inside a certificate, by the way to it. */
type Path = readonly (string | number)[]

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [path]
  const below = Object.entries(value).flatMap(([key, inner]) =>
    pathsIn(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  )
  return Array.isArray(value) ? [path, ...below] : below
}

function changed(value: unknown, [head, ...rest]: Path, change: (leaf: unknown) => unknown): unknown {
  if (head === undefined) return change(value)
  if (Array.isArray(value)) return value.map((inner, index) => (index === head ? changed(inner, rest, change) : inner))
  const record = value as Readonly<Record<string, unknown>>
  return { ...record, [head]: changed(record[head], rest, change) }
}

/** Another value of the same kind, chosen by `dice`. */
function another(leaf: unknown, dice: number): unknown {
  if (typeof leaf === 'number') return [leaf + 1, leaf - 1, leaf * 2 + 30_000, 0][dice % 4]
  if (leaf instanceof Uint8Array)
    return leaf.map((byte, index) => (index === dice % leaf.length ? byte ^ (1 << (dice % 8)) : byte))
  if (Array.isArray(leaf))
    return leaf.length === 0
      ? leaf
      : [leaf.toSpliced(dice % leaf.length, 1), [...leaf, leaf[dice % leaf.length]], leaf.toReversed()][dice % 3]
  const words = [
    'NodeDown',
    'HostHung',
    'Alive',
    'Abstain',
    'nothing',
    'mute',
    'userland',
    nodeName(dice % 20),
    `${leaf}0`,
    'other',
  ]
  return words[dice % words.length]
}

test('after any single change either fails to verify or still says the very same thing', () => {
  const paths = pathsIn(genuine)
  expect(paths.length).toBeGreaterThan(100)
  const same = (a: unknown, b: unknown) => Buffer.compare(encodeValue(a), encodeValue(b)) === 0
  // What was found, on what question: all of it but the votes beyond those needed, and how the mesh stood at the time.
  const claimOf = ({ answers, excused, present, live, ...claim }: Certificate) => claim
  let refused = 0
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.nat(), (path, dice) => {
      const mutant = changed(genuine, path, (leaf) => another(leaf, dice)) as Certificate
      if (!verify(mutant).valid) {
        refused++
        return
      }
      expect(same(claimOf(mutant), claimOf(genuine))).toBe(true)
      for (const signed of mutant.answers) expect(genuine.answers.some((original) => same(original, signed))).toBe(true)
    }),
    { numRuns: 1_000 },
  )
  expect(refused).toBeGreaterThan(500)
})
