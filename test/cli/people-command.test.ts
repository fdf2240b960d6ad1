/** `starling people`: who may use the API under a name of their own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makePerson, readPeople, whoseToken } from '../../aggregator/people.ts'
import { writePeople } from '../../aggregator/people-file.ts'
import { PLAN_ID } from '../aggregator/sample-port.ts'
import { serveSample } from '../aggregator/serve-sample.ts'
import { run } from './harness.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-people-'))
  file = join(dir, 'people.yaml')
})
afterEach(() => rmSync(dir, { recursive: true }))

const people = (...args: readonly string[]) => run(['people', ...args], { env: { STARLING_PEOPLE: file }, cwd: dir })

it('add prints a token once, which opens the API under that name; remove makes it worth nothing', async () => {
  const added = await people('add', 'ada')
  const token = added.stdout.trim()
  expect([added.code, token]).toEqual([0, expect.stringMatching(/^[\w-]{32}$/)])
  expect(added.stderr).toContain(`ada may approve from now on (${file})`)
  expect(whoseToken(readPeople(file), token)).toMatchObject({ name: 'ada', right: 'approve' })
  expect(readFileSync(file, 'utf8')).not.toContain(token)

  const served = await serveSample()
  served.people.push(...readPeople(file))
  const env = { STARLING_URL: served.url, STARLING_TOKEN: token }
  const approved = await run(['remediations', 'approve', PLAN_ID], { env })
  expect([approved.code, approved.stdout]).toEqual([0, 'ada said approve to sysctl\n'])
  const refused = await run(['mesh', 'release', '--reason', 'x'], { env })
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('this takes admin')])
  await served.close()

  const removed = await people('remove', 'ada')
  expect([removed.code, removed.stdout]).toEqual([0, `ada is known no more (${file})\n`])
  expect(readPeople(file)).toEqual([])
})

it('list shows no token; as JSON each can be read by a program', async () => {
  const added = JSON.parse((await people('add', 'grace', '--right', 'view', '-o', 'json')).stdout)
  expect(added).toMatchObject({
    kind: 'PersonList',
    items: [{ name: 'grace', right: 'view', token: expect.any(String) }],
  })
  const { token: _, ...shown } = added.items[0]
  expect((await people('list')).stdout).toMatch(/^NAME +RIGHT +SINCE\ngrace {2}view {3}20\d\d-/)
  expect(JSON.parse((await people('list', '-o', 'json')).stdout).items).toEqual([shown])
})

it('without a file it is that of the mesh which runs from here', async () => {
  writeFileSync(join(dir, 'up.json'), '{}')
  expect((await run(['people', 'add', 'ada', '--dir', dir])).code).toBe(0)
  expect(readPeople(file)).toMatchObject([{ name: 'ada' }])
})

it('what is wrong is said, and the file stays as it is', async () => {
  await writePeople(file, [makePerson({ name: 'ada', right: 'approve' }, '2026-01-31T12:00:00.000Z').person])
  const before = readFileSync(file)
  expect(await people('add', 'ada')).toMatchObject({ code: 1, stderr: expect.stringContaining('people remove ada') })
  expect(await people('remove', 'adda')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean "ada"'),
  })
  expect((await people('add', 'local-token')).code).not.toBe(0)
  expect(readFileSync(file)).toEqual(before)
  writeFileSync(file, 'people:\n  - {name: ada}\n')
  const damaged = await people('add', 'grace')
  expect([damaged.code, damaged.stderr]).toEqual([2, expect.stringContaining(`${file}:2: people.0.right`)])
}, 60_000)
