/** The folder of certificates: what comes, goes, is wrong or too old. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { Enrolments } from '../../aggregator/kubernetes/roster/enrolments.ts'
import { silentLog } from '../../common/log.ts'
import { issueCertificate } from '../../mesh/identity/enrolment.ts'
import { enrolledFolder, writeEnrolled } from '../../mesh/identity/identity-dir.ts'
import type { KeyPair } from '../../mesh/identity/keys.ts'
import { keysNamed } from '../mesh/real-mesh.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { enrolled, MESH } from './roster-parts.ts'

const NOW = 1_000_000

let ca: KeyPair
let stateDir: string
let enrolments: Enrolments

beforeAll(async () => {
  ca = await keysNamed('ca')
})
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'starling-enrolled-'))
})
afterEach(() => {
  enrolments.stop()
  rmSync(stateDir, { recursive: true })
})

function open(): Enrolments {
  const folder = enrolledFolder(stateDir)
  enrolments = new Enrolments({ folder, caKey: ca.publicKey, mesh: MESH, log: silentLog })
  return enrolments
}

const certificate = (node: string, parts = {}, by = ca) => issueCertificate(by, enrolled(node, parts))
const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(enrolledFolder(stateDir), name), bytes)
const current = (wallMs = NOW) =>
  Object.fromEntries([...open().current(wallMs)].map(([node, { serial }]) => [node, serial]))

test('without a folder nobody is enrolled', () => {
  expect(current()).toEqual({})
})

test('of one name the latest serial counts, whatever its file is called', () => {
  writeEnrolled(stateDir, 'a', certificate('a', { serial: 2 }))
  put('older.cert', certificate('a', { serial: 1 }))
  put('notes.txt', 'of no interest')
  expect(current()).toEqual({ a: 2 })
})

test('what is not a certificate of this mesh and its CA, or no longer, is passed over', async () => {
  writeEnrolled(stateDir, 'good', certificate('good'))
  put('half.cert', certificate('half').subarray(0, 40))
  put('other-mesh.cert', certificate('other-mesh', { mesh: 'another' }))
  put('other-ca.cert', certificate('other-ca', {}, await keysNamed('another ca')))
  put('huge.cert', Buffer.alloc(5_000))
  mkdirSync(join(enrolledFolder(stateDir), 'folder.cert'))
  writeEnrolled(stateDir, 'old', certificate('old', { notAfterMs: Date.now() + 1_000 }))
  expect(current(Date.now() + 2_000)).toEqual({ good: 1 })
})

test('what comes later, changes and goes is seen', async () => {
  let calls = 0
  const folder = open()
  folder.start(() => calls++)
  const seen = async (expected: object) => {
    await vi.waitFor(() => {
      const now = [...folder.current(NOW)].map(([node, { serial }]) => [node, serial])
      expect(Object.fromEntries(now)).toEqual(expected)
    }, PATIENCE)
  }
  writeEnrolled(stateDir, 'a', certificate('a'))
  await seen({ a: 1 })
  writeEnrolled(stateDir, 'a', certificate('a', { serial: 12 }))
  await seen({ a: 12 })
  rmSync(join(enrolledFolder(stateDir), 'a.cert'))
  await seen({})
  expect(calls).toBe(3)
})
