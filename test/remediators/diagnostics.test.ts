import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host } from '../../detectors/contract.ts'
import { fixtureHost } from '../../detectors/testing/fixture-host.ts'
import type { Plan } from '../../remediators/contract.ts'
import { BUNDLE_BYTES_MAX, BUNDLES_MAX, createCollector, type DiagnosticsInit } from '../../remediators/diagnostics.ts'
import { makePlan } from '../../remediators/plan.ts'
import { restartUnit } from '../../remediators/restart-unit.ts'
import { at, finding, fixture } from './parts.ts'

const DOWN = finding('kubelet-process', 'KubeletDown', '', [])
const planOf = (before: string): Plan =>
  makePlan(restartUnit, DOWN, [{ what: 'kubelet.service: it', before, after: 'anew', undo: '#' }], at(0).wall)
const PLAN = planOf('failed')

let stateDir: string
beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'starling-diagnostics-'))
})
afterEach(() => rm(stateDir, { recursive: true }))

const recorded = fixtureHost(fixture('diagnostics'))
/** With a journal that says this, whoever is asked for. */
const saying = (stdout: string): Host => ({
  ...recorded,
  run: async ([program, ...args]) => ({
    code: 0,
    signal: null,
    stdout: `${program} ${args.join(' ')}\n${stdout}`,
    stderr: '',
    truncated: false,
  }),
})
const collect = (plan: Plan, init: Partial<DiagnosticsInit> = {}) =>
  createCollector({
    stateDir,
    host: saying('all is well\n'),
    names: ['node-7.example.org'],
    others: () => ['node-8'],
    about: () => ({ finding: DOWN, votes: { suspectedBy: ['node-8'] } }),
    ...init,
  })(plan)
const read = (folder: string, name: string) => readFile(join(folder, name), 'utf8')

describe('what is gathered before a fix', () => {
  it('is the finding, the plan, the votes, the journal and what the kernel says', async () => {
    const folder = await collect(PLAN)
    expect(folder).toBe(join(stateDir, 'diagnostics', PLAN.id))
    expect((await readdir(folder)).toSorted()).toEqual([
      'finding.json',
      'journal-kernel',
      'journal-kubelet.service',
      'plan.json',
      'proc-1-mounts',
      'proc-1-net-sockstat',
      'proc-loadavg',
      'proc-meminfo',
      'proc-pressure-cpu',
      'proc-pressure-io',
      'proc-pressure-memory',
      'votes.json',
    ])
    expect(JSON.parse(await read(folder, 'plan.json'))).toMatchObject({ id: PLAN.id, reason: 'KubeletDown' })
    expect(await read(folder, 'proc-loadavg')).toBe('0.52 0.58 0.59 1/467 12345\n')
    expect(await read(folder, 'proc-pressure-io')).toBe(
      'cannot be seen: /proc/pressure/io does not exist on this host\n',
    )
    expect(await read(folder, 'journal-kubelet.service')).toContain('--lines=200 --unit=kubelet.service\nall is well')
    expect((await stat(folder)).mode & 0o777).toBe(0o700)
    expect((await stat(join(folder, 'plan.json'))).mode & 0o777).toBe(0o600)
  })

  it('tells no secret, no name and no address', async () => {
    const host = saying('node-7.example.org 10.1.2.3 node-8 token=swordfish\n')
    const journal = await read(await collect(PLAN, { host }), 'journal-kernel')
    expect(journal).toContain('this-node 192.0.2.1 peer-1 token=REDACTED')
    expect(await read(await collect(PLAN), 'votes.json')).toContain('"peer-1"')
  })

  it('is the end of each, and never more than fits', async () => {
    const host = saying(`${'x'.repeat(3 * BUNDLE_BYTES_MAX)} the last words\n`)
    const votes = 'v'.repeat(3 * BUNDLE_BYTES_MAX)
    const folder = await collect(PLAN, { host, about: () => ({ finding: DOWN, votes }) })
    expect(await read(folder, 'journal-kernel')).toMatch(/x the last words\n$/)
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024)
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(BUNDLE_BYTES_MAX)
  })

  it('takes the place of what was gathered for the same plan', async () => {
    await collect(PLAN)
    const folder = await collect(PLAN, { about: () => ({}) })
    const names = await readdir(folder)
    expect(names).not.toContain('finding.json')
    expect(await readdir(join(stateDir, 'diagnostics'))).toEqual([PLAN.id])
  })

  it('is kept of the latest plans alone', async () => {
    const folders: string[] = []
    for (let index = 0; index < BUNDLES_MAX; index++) {
      const folder = await collect(planOf(`failed ${index}`))
      await utimes(folder, 1_000 + index, 1_000 + index)
      folders.push(folder)
    }
    const latest = await collect(PLAN)
    const left = await readdir(join(stateDir, 'diagnostics'))
    expect(left).toHaveLength(BUNDLES_MAX)
    expect(left).toContain(PLAN.id)
    expect(left.map((name) => join(stateDir, 'diagnostics', name))).not.toContain(folders[0])
    expect(left.map((name) => join(stateDir, 'diagnostics', name))).toContain(folders[1])
    expect(latest).toContain(PLAN.id)
  })

  it('is nothing for what is no plan of ours, and leaves everything where it is', async () => {
    await expect(collect({ ...PLAN, id: '../../etc' })).rejects.toThrow('is no id of a plan')
    expect(await readdir(stateDir)).toEqual([])
  })

  it('is nothing where it cannot be written', async () => {
    await writeFile(join(stateDir, 'file'), '')
    await expect(collect(PLAN, { stateDir: join(stateDir, 'file') })).rejects.toThrow('ENOTDIR')
  })
})
