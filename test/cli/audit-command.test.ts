/** Checking a history as people do it: from a file with nothing else at hand, or from the aggregator that has it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { HeadSigner } from '../../aggregator/audit/head.ts'
import { found } from '../../cli/local/found.ts'
import { layOut } from '../../cli/local/layout.ts'
import { keyPairFromSeed } from '../../mesh/identity/keys.ts'
import { History, signerOf } from '../aggregator/audit/tampered.ts'
import { event } from '../aggregator/event.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let dir: string
let signer: HeadSigner
let history: History
let served: ServedSample
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'starling-audit-cli-'))
  const layout = await layOut({ dir, nodes: 3, httpPort: 7780, meshPort: 7790, kubeletPort: 10250 })
  await found(layout, { hostRoot: '/', logFormat: 'json' })
  const keys = await keyPairFromSeed(readFileSync(join(layout.aggregator.dir, 'identity.key')))
  signer = { mesh: layout.mesh, node: layout.aggregator.name, peerId: keys.peerId, sign: keys.sign }
  history = new History()
  history.write(9, signer, [3, 6])
  served = await serveSample()
  for (let n = 1; n <= 1_005; n++) served.store.append(event(`served-${n}`))
  served.store.trail.seal(signer)
})
afterAll(async () => {
  history.clean()
  await served.close()
  rmSync(dir, { recursive: true })
})

const verify = (...args: string[]) => run(['audit', 'verify', '--store', history.file, '--dir', dir, ...args])

it('checks a file with the roster and CA of its mesh, and says how far it is signed', async () => {
  const { stdout, stderr, code } = await verify()
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^holds: 9 events from 1 on, 2 signed heads\nsigned up to event 6 by aggregator-1 \(12D3/)
  expect(stdout).toContain('\n3 events at the end fit, and nobody has signed for them yet\n')
  const json = JSON.parse((await verify('-o', 'json')).stdout)
  expect(json).toMatchObject({ kind: 'AuditResult', items: [{ holds: true, checked: 9, misfit: null }] })
})

it('checks what an aggregator tells, page by page', async () => {
  const env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
  const { stdout, code } = await run(['audit', 'verify', '--signer', signer.peerId], { env, cwd: tmpdir() })
  expect(stdout).toMatch(/^holds: 1005 events from 1 on, 1 signed head\n/)
  expect(code).toBe(0)
})

it('names the first event that does not fit, and exits with 3', async () => {
  const changed = new History()
  changed.write(9, signer, [6])
  changed.tamper("UPDATE events SET summary = 'nothing \u001b[2J' WHERE id = 'e5'")
  const args = ['audit', 'verify', '--store', changed.file, '--dir', dir]
  const { stdout, code } = await run(args)
  expect(stdout).toMatch(
    /^does not hold: event 5 is not what was stored .*\nfirst at event 5 \(e5\); 4 events before it fit/,
  )
  expect(code).toBe(3)
  const json = JSON.parse((await run([...args, '-o', 'json'])).stdout)
  expect(json.items[0]).toMatchObject({ holds: false, misfit: { what: 'altered', seq: 5, id: 'e5' } })
  changed.clean()
})

it('holds the file against a head that was noted', async () => {
  const { seq, hash } = history.store.trail.signed(1)[0] ?? { seq: 0, hash: '' }
  expect((await verify('--head', `${seq}:${hash}`)).code).toBe(0)
  const other = await verify('--head', `${seq}:${'0'.repeat(64)}`)
  expect([other.code, other.stdout]).toEqual([3, expect.stringContaining('event 6 has the hash')])
  expect((await verify('--head', 'yesterday')).stderr).toContain('Give the place and the hash of an event')
})

it('says when nothing tells whose signatures count, or something else than a key does', async () => {
  const nobody = await run(['audit', 'verify', '--store', history.file], { cwd: tmpdir() })
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining('say whose signatures count')])
  expect((await verify('--signer', 'me')).code).toBe(2)
  expect((await verify('--mesh', 'another')).stderr).toContain('the roster is of mesh local, not of another')
  const stranger = await run(
    ['audit', 'verify', '--store', history.file, '--signer', (await signerOf('stranger')).peerId],
    { cwd: tmpdir() },
  )
  expect([stranger.code, stranger.stdout]).toEqual([3, expect.stringContaining('which is no aggregator known here')])
})

it('says that a file is none, or is damaged', async () => {
  const none = await run(['audit', 'verify', '--store', join(dir, 'none'), '--dir', dir])
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no history in')])
  const broken = new History()
  broken.write(300, signer, [])
  broken.store.close()
  const bytes = readFileSync(broken.file)
  bytes.fill(0xff, 4_096 * 8, 4_096 * 9)
  writeFileSync(broken.file, bytes)
  const { code, stderr, stdout } = await run(['audit', 'verify', '--store', broken.file, '--dir', dir])
  expect([code, stderr + stdout]).toEqual([3, expect.stringMatching(/cannot be read to its end|does not hold/)])
  rmSync(broken.dir, { recursive: true })
})

it('writes all of it as JSON lines, each head after the event that it was signed for', async () => {
  const { stdout } = await run(['audit', 'export', '--store', history.file])
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0]).toEqual({ frame: { first: 1, before: '0'.repeat(64), earlier: 0, given: 9, heads: 2 } })
  expect(lines.slice(1).map(({ event: row, head }) => row?.id ?? `head ${head.number}`)).toEqual([
    'e1',
    'e2',
    'e3',
    'head 1',
    'e4',
    'e5',
    'e6',
    'head 2',
    'e7',
    'e8',
    'e9',
  ])
  expect(lines[1].event).toEqual(history.store.trail.rows(0)[0])
})
