/** Settings as an operator rolls them out: over the command line, a node first, and back when it fares worse. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LocalMesh, MESH_PORT, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS } from './starling.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
const AWAY = 'node-5'
const TEST_WITHIN_MS = 3 * DEADLINE_MS

const settings = (version: number, detectors: string) => `version: ${version}\nmesh: local\ndetectors: {${detectors}}\n`
const FINE = 'clock-skew: {enabled: false}'
/** A value that no machine has: every node that looks for it finds something. */
const BAD = `${FINE}, kernel-params: {every: 2s, options: {wanted: {net.core.somaxconn: 4097}}}`

describe('settings over the command line', () => {
  let dir: string
  let mesh: LocalMesh
  beforeAll(async () => {
    dir = newFolder()
    mesh = await LocalMesh.up({ dir: join(dir, 'mesh') })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh.stop()
    rmSync(dir, { recursive: true })
  }, TURN_WITHIN_MS)

  const file = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const apply = (path: string, soak: string) =>
    mesh.run('settings', 'apply', path, '--yes', '--stages', '20%,100%', '--soak', soak)
  const told = async () => (await mesh.events()).filter(({ kind }) => kind === 'settings').map(({ summary }) => summary)
  const untilRun = (version: number) =>
    mesh.until(`every agent runs version ${version}`, async () => {
      const { applied } = (await mesh.state()).settings
      return NODES.every((node) => applied[node] === version)
    })
  /** By its own metrics, whoever leads or does not. */
  const runs = async (node: string, version: number) => {
    const answer = await fetch(`http://127.0.1.${NODES.indexOf(node) + 1}:${MESH_PORT + 1}/metrics`)
    return (await answer.text()).includes(`starling_settings_version_info ${version}\n`)
  }

  it(
    'reach one node first, and then every node that lives',
    async () => {
      await untilRun(1)
      await mesh.untilCovered()
      await mesh.run('chaos', 'kill-agent', AWAY)
      await mesh.untilState(AWAY, 'AgentDown')
      const fine = file('fine.yaml', settings(2, FINE))
      expect((await mesh.run('settings', 'diff', fine)).code).toBe(3)
      const applied = apply(fine, '4s')
      const { settings: staged } = await mesh.until('one node runs version 2', async () => {
        const state = await mesh.state()
        return Object.values(state.settings.applied).includes(2) && state
      })
      expect(Object.values(staged.applied).toSorted()).toEqual([1, 1, 1, 1, 2])
      expect(staged.rollout).toMatchObject({ version: 2, of: 5, stagesLeft: 1, halted: null })
      expect(await applied).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('settings version 2 is in force on 4 of 4 live nodes'),
      })
      expect(await told()).toEqual([
        'settings version 1 in force',
        'settings version 2 handed in by local-token (cli)',
        // A node that is down may come before the first that lives.
        expect.stringMatching(
          /^settings version 2 for (1 of 5 nodes \(node-[1-4]\)|2 of 5 nodes \(node-[1-4], node-5\))$/,
        ),
        'settings version 2 for 5 of 5 nodes',
        'settings version 2 in force',
      ])
      expect((await mesh.run('settings', 'diff', fine)).code).toBe(0)
    },
    TEST_WITHIN_MS,
  )

  it(
    'reach a node that was away from its neighbours, with the aggregator stopped',
    async () => {
      const aggregator = mesh.pidOf('aggregator-1')
      process.kill(aggregator, 'SIGSTOP')
      try {
        expect(await mesh.run('chaos', 'resume', AWAY)).toMatchObject({ code: 0 })
        await mesh.until(`${AWAY} runs version 2`, () => runs(AWAY, 2))
      } finally {
        process.kill(aggregator, 'SIGCONT')
      }
      await untilRun(2)
    },
    TEST_WITHIN_MS,
  )

  it(
    'are halted by the first node that fares worse, and undone there',
    async () => {
      await mesh.until('every node is alive', async () =>
        (await mesh.state()).members.every((one) => one.state === 'alive'),
      )
      const { code, stdout } = await apply(file('bad.yaml', settings(3, BAD)), '60s')
      expect([code, stdout]).toEqual([
        3,
        expect.stringMatching(
          /\nhalted: kernel-params: KernelParamDiffers on 1 of 1 with version 3 \((node-\d)\), on 0 of 4 others; rolled back as version 4\n$/,
        ),
      ])
      await untilRun(4)
      const found = (await mesh.events()).filter(({ summary }) => summary.includes('somaxconn'))
      expect(new Set(found.map(({ node }) => node)).size).toBe(1)
      const status = await mesh.run('settings', 'status')
      expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('Version 3 was halted: kernel-params')])
    },
    TEST_WITHIN_MS,
  )

  it(
    'go back to an earlier version, and are not taken twice',
    async () => {
      const back = await mesh.run('settings', 'rollback', '1', '--reason', 'clocks matter')
      expect([back.code, back.stdout]).toEqual([
        0,
        expect.stringContaining('as version 5, by local-token (cli): clocks'),
      ])
      await mesh.until('findings of clock-skew', async () =>
        (await mesh.state()).findings.some(({ detector }) => detector === 'clock-skew'),
      )
      expect(await apply(join(dir, 'fine.yaml'), '1s')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('settings version 2 is too low\n  raise version to at least 6'),
      })
    },
    TEST_WITHIN_MS,
  )
})
