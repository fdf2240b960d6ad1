import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Roster } from '../../mesh/core/model.ts'
import { readCertificate } from '../../mesh/identity/enrolment.ts'
import { keepRoster, keptRoster, loadIdentity, publicKeyPem, writeIdentity } from '../../mesh/identity/identity-dir.ts'
import { createKeyring } from '../../mesh/identity/keyring.ts'
import { publicKeyOfPeer, verifierOf } from '../../mesh/identity/keys.ts'
import { readRoster, rosterHash, signRoster } from '../../mesh/identity/signed-roster.ts'
import { certify, foundMesh, keysNamed, MESH, type RealMesh } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'

const NODE = nodeName(0)
const HOUR_MS = 3_600_000

let mesh: RealMesh
let root: string
let stateDir: string
let caFile: string

beforeAll(async () => {
  mesh = await foundMesh(4)
  root = mkdtempSync(join(tmpdir(), 'starling-identity-'))
})
afterAll(() => rmSync(root, { recursive: true }))

beforeEach(() => {
  stateDir = mkdtempSync(join(root, 'node-'))
  caFile = join(stateDir, 'ca.pem')
  writeFileSync(caFile, publicKeyPem(mesh.ca.publicKey))
  const { keys, certificate } = mesh.enrolled(NODE)
  writeIdentity(stateDir, { seed: keys.seed, certificate, roster: mesh.signedRoster() })
})

const load = () => loadIdentity(stateDir, caFile, MESH)
const file = (name: string) => join(stateDir, name)

describe('an identity directory', () => {
  test('gives back what was written', async () => {
    const { keys, certificate, enrolment, caKey, roster, incarnation } = await load()
    expect(keys.peerId).toBe(mesh.enrolled(NODE).keys.peerId)
    expect(Buffer.compare(certificate, mesh.enrolled(NODE).certificate)).toBe(0)
    expect(enrolment).toMatchObject({ node: NODE, serial: 1, mesh: MESH, peerId: keys.peerId })
    expect(Buffer.compare(caKey, mesh.ca.publicKey)).toBe(0)
    expect(roster).toEqual(mesh.roster)
    expect(incarnation).toEqual({ serial: 1, boot: 1, refutations: 0 })
  })

  test('keeps the key from other users', () => {
    expect(statSync(file('identity.key')).mode & 0o077).toBe(0)
  })

  test('gives each start a later life', async () => {
    const boots: number[] = []
    for (let start = 0; start < 3; start++) boots.push((await load()).incarnation.boot)
    expect(boots).toEqual([1, 2, 3])
  })

  test('does not use up a life on a start that fails', async () => {
    await load()
    copyFileSync(file('roster'), file('roster.kept'))
    writeFileSync(file('roster'), 'damaged')
    await expect(load()).rejects.toThrow()
    copyFileSync(file('roster.kept'), file('roster'))
    expect((await load()).incarnation.boot).toBe(2)
  })
})

describe('a file that is missing or damaged is named', () => {
  test.each(['identity.key', 'cert', 'roster', 'ca.pem'])('%s, missing', async (name) => {
    rmSync(file(name))
    await expect(load()).rejects.toThrow(file(name))
  })

  test.each(['identity.key', 'cert', 'roster', 'ca.pem', 'boot-counter'])('%s, empty', async (name) => {
    writeFileSync(file(name), '')
    await expect(load()).rejects.toThrow(file(name))
  })

  test.each(['identity.key', 'cert', 'roster', 'ca.pem', 'boot-counter'])(
    '%s, with something else in it',
    async (name) => {
      writeFileSync(file(name), 'something else')
      await expect(load()).rejects.toThrow(file(name))
    },
  )

  test.each(['cert', 'roster'])('%s, cut short', async (name) => {
    writeFileSync(file(name), readFileSync(file(name)).subarray(0, 40))
    await expect(load()).rejects.toThrow(file(name))
  })

  test.each(['cert', 'roster'])('%s, with one bit turned', async (name) => {
    const bytes = readFileSync(file(name))
    bytes[bytes.length - 5] = (bytes.at(-5) ?? 0) ^ 1
    writeFileSync(file(name), bytes)
    await expect(load()).rejects.toThrow(file(name))
  })

  test.each(['-1', '1.5', '1e3', ' ', '99999999999999999999'])('a boot counter of %j', async (text) => {
    writeFileSync(file('boot-counter'), text)
    await expect(load()).rejects.toThrow(file('boot-counter'))
  })

  test('a certificate for another key', async () => {
    writeFileSync(file('identity.key'), (await keysNamed('another')).seed)
    await expect(load()).rejects.toThrow(file('cert'))
  })
})

describe('a certificate', () => {
  const read = (bytes: Uint8Array, wallMs = Date.now()) => readCertificate(bytes, mesh.ca.publicKey, MESH, wallMs)

  test('says who its holder is', () => {
    expect(read(mesh.enrolled(NODE).certificate)).toMatchObject({ node: NODE, zone: 'zone-0' })
  })

  test('of another CA, or of another mesh, is refused', async () => {
    const { member } = mesh.enrolled(NODE)
    const otherCa = await keysNamed('another ca')
    expect(() => read(certify(otherCa, member))).toThrow('not signed by the CA')
    expect(() => read(certify(mesh.ca, member, { mesh: 'other' }))).toThrow('of mesh other')
  })

  test('is good until ten minutes after its end, since clocks differ by as much', () => {
    const notAfterMs = 1_700_000_000_000
    const old = certify(mesh.ca, mesh.enrolled(NODE).member, { notAfterMs })
    expect(read(old, notAfterMs + 600_000).node).toBe(NODE)
    expect(() => read(old, notAfterMs + 600_001)).toThrow('expired')
  })
})

describe('a roster', () => {
  const read = (bytes: Uint8Array, name = MESH) => readRoster(bytes, mesh.ca.publicKey, name, Date.now())

  test('signed by an enrolled aggregator is read, and named by its content', () => {
    expect(read(mesh.signedRoster())).toEqual(mesh.roster)
    expect(rosterHash(read(mesh.signedRoster()))).toBe(mesh.rosterHash)
    expect(rosterHash({ ...mesh.roster, epoch: 2 })).not.toBe(mesh.rosterHash)
  })

  test('signed by a member is refused', () => {
    const { keys, certificate } = mesh.enrolled(NODE)
    expect(() => read(signRoster(keys, certificate, mesh.roster))).toThrow('not signed by one of its aggregators')
  })

  test('signed by a member that calls itself an aggregator is refused', () => {
    const { keys, member } = mesh.enrolled(NODE)
    const { certificate } = mesh.enrolled(LEADER)
    const usurped: Roster = { ...mesh.roster, aggregators: [{ ...member, node: LEADER }] }
    expect(() => read(signRoster(keys, certificate, usurped))).toThrow('not signed by one of its aggregators')
  })

  test('signed by somebody whom the CA did not enrol is refused', async () => {
    const keys = await keysNamed('stranger')
    const aggregator = { ...mesh.enrolled(LEADER).member, peerId: keys.peerId }
    const certificate = certify(await keysNamed('another ca'), aggregator)
    const roster = { ...mesh.roster, aggregators: [aggregator] }
    expect(() => read(signRoster(keys, certificate, roster))).toThrow('not signed by the CA')
  })

  test("of another mesh, or past the end of its signer's certificate, is refused", () => {
    const { keys, member } = mesh.enrolled(LEADER)
    expect(() => read(mesh.signedRoster(), 'other')).toThrow('of mesh real')
    const expired = certify(mesh.ca, member, { notAfterMs: Date.now() - HOUR_MS })
    expect(() => read(signRoster(keys, expired, mesh.roster))).toThrow('expired')
  })
})

test('a roster by which a verdict was counted is kept by its hash, as it first was', () => {
  keepRoster(stateDir, 'ab'.repeat(32), Uint8Array.of(1))
  keepRoster(stateDir, 'ab'.repeat(32), Uint8Array.of(2))
  expect([...readFileSync(keptRoster(stateDir, 'ab'.repeat(32)))]).toEqual([1])
})

test('a roster says under which Node each member was taken in, where it knows', () => {
  const [first, ...others] = mesh.roster.members
  if (first === undefined) throw new Error('no members')
  const roster = { ...mesh.roster, members: [{ ...first, uid: 'the-uid', pool: 'gpu' }, ...others] }
  const { keys, certificate } = mesh.enrolled(LEADER)
  const read = readRoster(signRoster(keys, certificate, roster), mesh.ca.publicKey, MESH, Date.now())
  expect(read.members.map(({ uid }) => uid).slice(0, 2)).toEqual(['the-uid', undefined])
  expect(read.members.map(({ pool }) => pool).slice(0, 2)).toEqual(['gpu', undefined])
  expect(rosterHash(read)).toBe(rosterHash(roster))
})

describe('a signature', () => {
  test('is good for its signer, its purpose, its payload and its mesh alone', async () => {
    const payload = { a: 1 }
    const keyring = mesh.keyringOf(NODE)
    const signature = keyring.sign('answer', payload)
    const other = nodeName(1)
    expect(keyring.verify(NODE, 'answer', payload, signature)).toBe(true)
    expect(mesh.keyringOf(other).verify(NODE, 'answer', { a: 1 }, signature)).toBe(true)
    expect(keyring.verify(NODE, 'statement', payload, signature)).toBe(false)
    expect(keyring.verify(NODE, 'answer', { a: 2 }, signature)).toBe(false)
    expect(keyring.verify(other, 'answer', payload, signature)).toBe(false)
    expect(keyring.verify('stranger', 'answer', payload, signature)).toBe(false)
    expect(keyring.verify(NODE, 'answer', payload, signature.subarray(1))).toBe(false)
    const elsewhere = createKeyring(mesh.enrolled(NODE).keys, { ...mesh.roster, mesh: 'other' })
    expect(elsewhere.verify(NODE, 'answer', payload, signature)).toBe(false)
  })

  test('is checked with the key that is inside the peer id', async () => {
    const keys = await keysNamed('somebody')
    const bytes = Buffer.from('text')
    expect(Buffer.compare(publicKeyOfPeer(keys.peerId), keys.publicKey)).toBe(0)
    expect(verifierOf(publicKeyOfPeer(keys.peerId))(bytes, keys.sign(bytes))).toBe(true)
  })
})
