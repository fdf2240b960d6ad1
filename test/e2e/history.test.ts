import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../aggregator/model.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS } from './starling.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
const TEST_WITHIN_MS = 3 * DEADLINE_MS

/** A value that no machine has, so that there is a finding and a plan; in mode suggest it cannot even be approved. */
const ODD = 'kernel-params: {every: 5s, options: {wanted: {net.core.somaxconn: 4097}}}'
const settings = (version: number, ...detectors: readonly string[]) =>
  `version: ${version}\nmesh: local\ndetectors: {${[ODD, ...detectors].join(', ')}}\nremediators: {sysctl: {mode: suggest}}\nrollout: {stages: [100%], soak: 0s}\n`

/** What a snapshot says, without what passes by itself. */
const standing = ({ members, findings, remediations, verdicts, settings }: Snapshot) => ({
  members: members.map(({ node, state, incarnation, verdictId }) => ({ node, state, incarnation, verdictId })),
  // The node that is down says nothing any more, and what it said last expires. What other detectors find on this machine
  // depends on what else it does.
  findings: findings
    .filter(({ node, detector }) => node !== 'node-3' && detector === 'kernel-params')
    .map(({ id, status }) => [id, status])
    .toSorted(),
  remediations: remediations
    .map(({ plan, phase, why, at }) => ({ plan, phase, why, at }))
    .toSorted((a, b) => a.plan.id.localeCompare(b.plan.id)),
  verdicts,
  settings,
})

describe('what a mesh keeps', () => {
  let dir: string
  let mesh: LocalMesh
  const options = () => ({ dir: join(dir, 'mesh'), flags: ['--settings', join(dir, 'settings.yaml')] })
  const write = (text: string) => writeFileSync(join(dir, 'settings.yaml'), text)
  beforeAll(async () => {
    dir = newFolder()
    write(settings(1))
    mesh = await LocalMesh.up(options())
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh.stop()
    rmSync(dir, { recursive: true })
  }, TURN_WITHIN_MS)

  const untilApplied = (version: number) =>
    mesh.until(`every agent runs version ${version}`, async () => {
      const { applied } = (await mesh.state()).settings
      return NODES.every((node) => applied[node] === version)
    })
  const refusals = async () =>
    (await mesh.events())
      .filter(({ kind, tone }) => kind === 'settings' && tone === 'bad')
      .map((event) => event.summary)
  const untilRefused = (count: number) =>
    mesh.until(`refusal ${count}`, async () => {
      const all = await refusals()
      return all.length === count && all[count - 1]
    })
  const hasClockSkew = async () => (await mesh.state()).findings.some(({ detector }) => detector === 'clock-skew')

  it(
    'is the settings: newer ones are applied by every agent as it runs',
    async () => {
      await untilApplied(1)
      await mesh.until('findings of clock-skew', hasClockSkew)
      const before = (await mesh.state()).members.map(({ incarnation }) => incarnation)
      write(settings(2, 'clock-skew: {enabled: false}'))
      await untilApplied(2)
      await mesh.until('no findings of clock-skew', async () => !(await hasClockSkew()))
      expect((await mesh.state()).settings.version).toBe(2)
      expect((await mesh.state()).members.map(({ incarnation }) => incarnation)).toEqual(before)
      await mesh.untilEvent(
        'version 2',
        ({ kind, summary }) => kind === 'settings' && summary === 'settings version 2 in force',
      )
    },
    TEST_WITHIN_MS,
  )

  it(
    'is not settings that are wrong, or that bear the same version: those are refused, and it is said',
    async () => {
      write(settings(3, 'contrack: {enabled: false}'))
      expect(await untilRefused(1)).toMatch(/^settings refused, version kept: .*detectors: unknown key "contrack"$/)
      write(settings(2))
      expect(await untilRefused(2)).toMatch(/version 2 is too low$/)
      write('version: [')
      expect(await untilRefused(3)).toMatch(/not valid YAML/)
      write(settings(4).replace('mesh: local', 'mesh: prod-a'))
      expect(await untilRefused(4)).toMatch(/mesh is prod-a, this is local/)
      const { settings: held } = await mesh.state()
      expect(held).toMatchObject({
        version: 2,
        applied: Object.fromEntries(NODES.map((node) => [node, 2])),
        rollout: null,
      })
      expect(await hasClockSkew()).toBe(false)
      write(settings(5))
      await untilApplied(5)
      await mesh.until('findings of clock-skew', hasClockSkew)
      expect((await refusals()).length).toBe(4)
    },
    TEST_WITHIN_MS,
  )

  it(
    'is the settings in force, when the aggregator is killed and the file is wrong',
    async () => {
      write(settings(4))
      expect(await untilRefused(5)).toMatch(/version 4 is too low$/)
      const pid = mesh.pidOf('aggregator-1')
      process.kill(pid, 'SIGKILL')
      await mesh.until('another aggregator', () => mesh.pidOf('aggregator-1') !== pid)
      expect(await untilRefused(6)).toMatch(/version 4 is too low$/)
      await untilApplied(5)
      expect((await mesh.state()).settings.version).toBe(5)
      write(settings(5))
    },
    TEST_WITHIN_MS,
  )

  it(
    'is everything that was known, when the aggregator is killed',
    async () => {
      await mesh.untilCovered()
      expect(await mesh.run('chaos', 'kill', 'node-3')).toMatchObject({ code: 0 })
      await mesh.untilState('node-3', 'NodeDown')
      await mesh.until(
        'a suggestion for every node',
        async () => (await mesh.state()).remediations.length === NODES.length,
      )
      const before = await mesh.state()
      const events = await mesh.events()
      const pid = mesh.pidOf('aggregator-1')

      process.kill(pid, 'SIGKILL')
      await mesh.until('another aggregator', () => mesh.pidOf('aggregator-1') !== pid)
      expect(mesh.stderr).toContain('the aggregator ended (SIGKILL); it is started again')
      const started = await mesh.untilEvent(
        'its start',
        ({ kind, seq }) => kind === 'started' && seq > (events.at(-1)?.seq ?? 0),
      )
      expect(started.summary).toBe('aggregator-1 leads the mesh, term 3')
      await mesh.until('all findings again', async () => {
        expect(standing(await mesh.state())).toEqual(standing(before))
        return true
      })
      const after = await mesh.events()
      expect(after.slice(0, events.length)).toEqual(events)
      const since = after
        .slice(events.length)
        .filter(({ kind, data }) => kind !== 'finding' || data.detector === 'kernel-params')
      expect(since.map(({ kind, node, summary }) => [kind, node, summary])).toEqual([['started', '', started.summary]])
      expect((await mesh.run('members')).code).toBe(3)
    },
    TEST_WITHIN_MS,
  )

  it(
    'grows where it had ended: faults are found, and the old verdict ends',
    async () => {
      await mesh.until('the others are covered again', async () =>
        (await mesh.state()).members.every((each) => each.node === 'node-3' || each.coveredBy.length >= 3),
      )
      expect(await mesh.run('chaos', 'kill', 'node-5')).toMatchObject({ code: 0 })
      await mesh.untilState('node-5', 'NodeDown')
      expect((await mesh.member('node-3')).state).toBe('NodeDown')
      for (const node of ['node-3', 'node-5'])
        expect(await mesh.run('chaos', 'resume', node)).toMatchObject({ code: 0 })
      for (const node of ['node-3', 'node-5']) await mesh.untilState(node, 'alive')
      const events = await mesh.events()
      for (const node of ['node-3', 'node-5']) {
        const verdicts = events.filter((event) => event.kind === 'verdict' && event.node === node)
        const ends = events.filter((event) => event.kind === 'recovered' && event.node === node)
        expect([verdicts.length, ends.map(({ causedBy }) => causedBy)]).toEqual([1, verdicts.map(({ id }) => id)])
      }
      expect((await mesh.state()).verdicts.every(({ endedAt }) => endedAt !== undefined)).toBe(true)
    },
    TEST_WITHIN_MS,
  )

  it(
    'is not given up for older settings: a mesh started again with them says so, and ends',
    async () => {
      await mesh.stop()
      write(settings(4))
      const again = await LocalMesh.start(options())
      try {
        expect(await again.ended).toEqual({ code: 2, signal: null })
        expect([again.stdout, again.stderr]).toEqual([
          '',
          expect.stringContaining(
            'starling: settings version 4 is too low: version 5 is in force in this mesh\n  raise version to at least 6\n',
          ),
        ])
      } finally {
        await again.stop()
      }
    },
    TEST_WITHIN_MS,
  )
})
