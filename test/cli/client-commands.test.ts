import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../../detectors/contract.ts'
import { event } from '../aggregator/event.ts'
import { createSamplePort, PLAN_ID, VERDICT_ID } from '../aggregator/sample-port.ts'
import { type ServedSample, serveSample, TOKEN } from '../aggregator/serve-sample.ts'
import { type RunOptions, run, start } from './harness.ts'

let served: ServedSample
let env: Record<string, string>
beforeAll(async () => {
  served = await serveSample()
  env = { STARLING_URL: served.url, STARLING_TOKEN: TOKEN }
})
afterAll(() => served.close())
beforeEach(() => served.sample.change(createSamplePort().snapshot()))

const cli = (args: string, options: RunOptions = {}) => run(args.split(' '), { env, ...options })
const rows = (stdout: string) => stdout.trimEnd().split('\n').slice(1)

describe('members', () => {
  it('shows a table, the notice aside, and fails with 3 while a node is down', async () => {
    const { stdout, stderr, code } = await cli('members')
    expect(stdout.split('\n')[0]).toMatch(/^NODE +STATE +ZONE +ROLES +SINCE +COVERED +SEEN +AGAINST +ADDRESS$/)
    expect(rows(stdout)).toHaveLength(5)
    expect(stdout).toMatch(
      /^node-4 {2}NodeDown {2}a {5}compute +2026-03-14 15:11:55 \+05:45 {2}4 of 4 +0 of 4 +3 of 3 +\/ip4\/127\.0\.0\.1\/tcp\/7793$/m,
    )
    expect(stderr).toContain('All five nodes read this one host')
    expect(stdout).not.toContain('All five nodes')
    expect(code).toBe(3)
  })

  it('shows bad links beside the state, and says who sees the node', async () => {
    const [seenBy, missedBy] = [
      ['node-1', 'node-3'],
      ['node-4', 'node-5'],
    ]
    served.sample.changeMember('node-2', { flags: ['LinkFault'], seenBy, missedBy })
    served.sample.changeMember('node-3', { state: 'left' })
    const { stdout, stderr } = await cli('members')
    expect(stdout).toMatch(/^node-2 {2}alive\+LinkFault .* 2 of 4 /m)
    expect(stdout).toMatch(/^node-3 {2}left /m)
    expect(stderr).toContain('node-2: LinkFault; heard by node-1, node-3; missed by node-4, node-5')
  })

  it('says when the mesh is blind or reaches too few', async () => {
    const { mesh } = served.sample.snapshot()
    const blind = { why: '2 of 5 members do not vote', subjects: [] }
    served.sample.change({ mesh: { ...mesh, blind, hasQuorum: false } })
    const { stderr } = await cli('members')
    expect(stderr).toContain('Blind: 2 of 5 members do not vote; the death of a node might not be found')
    expect(stderr).toContain('no more than half of the live members answer this leader')
  })

  it('succeeds when nothing is down, even if a node is suspected', async () => {
    served.sample.changeMember('node-4', { state: 'suspected' })
    expect((await cli('members')).code).toBe(0)
    served.sample.changeMember('node-4', { state: 'AgentDown' })
    expect((await cli('members')).code).toBe(3)
  })

  it('prints versioned JSON and nothing else on stdout', async () => {
    const { stdout, code } = await cli('members -o json')
    expect(JSON.parse(stdout)).toEqual({
      apiVersion: 'starling.mesh/v1alpha1',
      kind: 'MemberList',
      items: served.sample.snapshot().members,
    })
    expect(code).toBe(3)
  })

  it('lets no hostile name reach the terminal', async () => {
    served.sample.changeMember('node-5', { node: 'evil\u001b[2J\u0007\u202e\nnode-9 alive', zone: '\u009b31m' })
    const { stdout } = await cli('members')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(rows(stdout)).toHaveLength(5)
  })

  it('colours only where colours are wanted', async () => {
    expect((await cli('members')).stdout).not.toContain('\u001b')
    const forced = await cli('members', { env: { ...env, FORCE_COLOR: '1' } })
    expect(forced.stdout).toContain('\u001b[31mNodeDown')
    const refused = await cli('members', { env: { ...env, NO_COLOR: '1' } })
    expect(refused.stdout).not.toContain('\u001b')
  })
})

describe('explain', () => {
  it('draws what led to what, with the votes', async () => {
    const { stdout, code } = await cli('explain node-4')
    expect(code).toBe(0)
    expect(stdout).toContain(`node-4 is NodeDown since 2026-03-14 15:11:55 +05:45 (zone a; compute;`)
    expect(stdout).toContain(`verdict ${VERDICT_ID}`)
    expect(stdout).toContain('Votes: 3 silent, 3 needed')
    expect(stdout).toMatch(/^node-5 +b +abstain +NodeDown +unknown +900ms$/m)
    const drawing = stdout
      .split('\n')
      .filter((line) => line.includes('.') && /^\d{4}/.test(line))
      .map((line) => line.slice('2026-03-14 15:11:53.989 +05:45  '.length))
    expect(drawing).toEqual([
      'suspected: node-1 hears nothing from node-4',
      '├─ suspected: node-2 hears nothing from node-4',
      '└─ suspected: node-3 hears nothing from node-4',
      '   └─ candidate: node-4 has 3 of 3 accusations',
      '      └─ roll-call: node-1 asks the mesh about node-4',
      '         └─ verdict: NodeDown: 3 silent, 0 alive, 1 abstained',
    ])
  })

  it('prints JSON', async () => {
    const { stdout } = await cli('explain node-4 -o json')
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'Explanation', items: [served.sample.explain('node-4')] })
  })

  it('names the nearest node when there is none of that name', async () => {
    const { stdout, stderr, code } = await cli('explain nood-4')
    expect(stderr).toContain('no node "nood-4" in this mesh; did you mean node-4?')
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })
})

describe('findings', () => {
  it('shows the worst first and folds what is fine', async () => {
    const { stdout, stderr, code } = await cli('findings')
    expect(rows(stdout).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual([
      ['error', 'node-1'],
      ['alarm', 'node-2'],
      ['warn', 'node-3'],
      ['unknown', 'node-5'],
    ])
    expect(stderr).toContain('9 checks fine or not applicable')
    expect(code).toBe(3)
  })

  it('shows all of one node', async () => {
    const { stdout, code } = await cli('findings --node node-3 --all')
    expect(rows(stdout).map((line) => line.split(' ')[0])).toEqual(['warn', 'ok', 'ok'])
    expect(code).toBe(4)
    expect((await cli('findings --node node-4')).code).toBe(0)
  })

  it.each([
    ['warn', 4],
    ['unknown', 4],
    ['info', 0],
    ['ok', 0],
    ['not-applicable', 0],
    ['alarm', 3],
    ['error', 3],
  ] as const)('exits for %s with %d', async (status, exitCode) => {
    const findings = served.sample.snapshot().findings.map((finding): Finding => ({ ...finding, status }))
    served.sample.change({ findings })
    expect((await cli('findings -o json')).code).toBe(exitCode)
  })
})

describe('events', () => {
  it('shows the newest, oldest first, filtered', async () => {
    const { stdout, code } = await cli('events --node node-4 --kind candidate,roll-call,verdict --limit 2')
    expect(rows(stdout).map((line) => line.split(/ {2,}/).slice(2))).toEqual([
      ['node-4', 'roll-call', 'node-1 asks the mesh about node-4'],
      ['node-4', 'verdict', 'NodeDown: 3 silent, 0 alive, 1 abstained'],
    ])
    expect(code).toBe(0)
    const json = JSON.parse((await cli('events --limit 3 -o json')).stdout)
    expect(json).toMatchObject({ kind: 'EventList', items: served.sample.events({ limit: 3 }) })
  })

  it.each([
    ['--kind nonsense', 'not one of started'],
    ['--limit 0', '1 to 1000'],
    ['--limit x', '1 to 1000'],
  ])('refuses %s', async (flags, message) => {
    const { stderr, code } = await cli(`events ${flags}`)
    expect(stderr).toContain(message)
    expect(code).not.toBe(0)
  })

  it('follows, through a break of the line, missing and repeating nothing', async () => {
    const emit = (id: string, node = 'node-8') => served.sample.emit(event(id, { node }))
    emit('past')
    const followed = start('events --follow --limit 2 --node node-8 -o json'.split(' '), { env })
    followed.stderr.resume()
    const lines = createInterface({ input: followed.stdout })[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await lines.next()).value ?? 'null').item.id
    try {
      expect(await next()).toBe('past')
      emit('other', 'node-9')
      emit('one')
      expect(await next()).toBe('one')
      served.server.server.closeAllConnections()
      emit('two')
      expect(await next()).toBe('two')
      emit('three')
      expect(await next()).toBe('three')
    } finally {
      followed.kill()
    }
  })
})

describe('remediations', () => {
  it('lists those that wait first', async () => {
    const { stdout } = await cli('remediations list')
    const [first, second] = rows(stdout)
    expect(first).toMatch(
      new RegExp(
        `^${PLAN_ID} +node-2 +awaiting-approval +sysctl +net.core.somaxconn: 128 → 4096 \\(and 1 more\\) +low +none`,
      ),
    )
    expect(second).toContain('verified')
  })

  it('approves, showing what it is that was approved', async () => {
    const before = served.sample.decisions.length
    const { stdout, stderr, code } = await cli(`remediations approve ${PLAN_ID}`)
    expect(stderr).toContain('net.core.somaxconn: 128 → 4096 (undo: sysctl -w net.core.somaxconn=128)')
    expect(stdout).toBe('local-token said approve to sysctl\n')
    expect(code).toBe(0)
    expect(served.sample.decisions.slice(before)).toEqual([
      { planId: PLAN_ID, action: 'approve', reason: '', via: 'cli', by: 'local-token' },
    ])
    const again = await cli(`remediations approve ${PLAN_ID}`)
    expect(again.stderr).toContain('no longer waits for a decision')
    expect(again.code).toBe(1)
  })

  it('rejects only with a reason', async () => {
    const before = served.sample.decisions.length
    const bare = await cli(`remediations reject ${PLAN_ID}`)
    expect(bare.stderr).toContain('--reason')
    expect(bare.code).not.toBe(0)
    await run(['remediations', 'reject', PLAN_ID, '--reason', 'not in office hours'], { env })
    expect(served.sample.decisions.slice(before)).toMatchObject([{ action: 'reject', reason: 'not in office hours' }])
  })

  it('says when there is no such plan', async () => {
    const { stderr, code } = await cli('remediations approve nope')
    expect(stderr).toContain('no remediation "nope"')
    expect(code).toBe(1)
  })
})

describe('finding the aggregator', () => {
  const elsewhere = { env: {} }

  it('takes address and token from the mesh of this directory', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'starling-cli-'))
    try {
      const none = await cli('members', { env: {}, cwd })
      expect(none.stderr).toContain('.starling/up.json')
      expect(none.stderr).toContain('npm start')
      expect(none.code).toBe(2)

      mkdirSync(join(cwd, '.starling'))
      writeFileSync(join(cwd, '.starling', 'up.json'), JSON.stringify({ url: served.url, token: TOKEN, pid: 1 }))
      expect(rows((await cli('members', { env: {}, cwd })).stdout)).toHaveLength(5)
      expect(rows((await cli(`members --dir ${join(cwd, '.starling')}`, elsewhere)).stdout)).toHaveLength(5)

      writeFileSync(join(cwd, '.starling', 'up.json'), '{"url":')
      expect((await cli('members', { env: {}, cwd })).stderr).toContain('is not what `starling up` writes')
    } finally {
      rmSync(cwd, { recursive: true })
    }
  })

  it('lets flags outrank the environment', async () => {
    const wrong = { STARLING_URL: 'http://127.0.0.1:1', STARLING_TOKEN: 'wrong' }
    const { code } = await cli(`findings --url ${served.url}/ --token ${TOKEN} --node node-4`, { env: wrong })
    expect(code).toBe(0)
  })

  it('says what to do when nobody answers', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => free.once('listening', resolve))
    const { port } = free.address() as AddressInfo
    await new Promise((resolve) => free.close(resolve))
    const { stderr, code } = await cli(`members --url http://127.0.0.1:${port} --token x`, elsewhere)
    expect(stderr).toContain(`cannot reach the aggregator at http://127.0.0.1:${port}: connection refused`)
    expect(stderr).toContain('--url')
    expect(stderr).not.toMatch(/^ +at /m)
    expect(code).toBe(1)
  })

  it('says what to do about a wrong, missing or senseless token or address', async () => {
    const wrong = await cli(`members --url ${served.url} --token wrong`, elsewhere)
    expect(wrong.stderr).toContain('does not accept the token')
    expect(wrong.stderr).toContain('STARLING_TOKEN')
    const missing = await cli(`members --url ${served.url}`, elsewhere)
    expect(missing.stderr).toContain('no token for')
    expect(missing.code).toBe(2)
    const senseless = await cli('members --url localhost:7780 --token x', elsewhere)
    expect(senseless.stderr).toContain('"localhost:7780" is not an address')
    expect(senseless.code).toBe(2)
  })

  it('sees that something else answers', async () => {
    const other = createServer((_, response) => response.end('<h1>hello</h1>')).listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    const { stderr, code } = await cli(`members --url http://127.0.0.1:${port} --token x`, elsewhere)
    expect(stderr).toContain('is not a Starling aggregator')
    expect(code).toBe(1)
    await new Promise((resolve) => other.close(resolve))
  })
})
