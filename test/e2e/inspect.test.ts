/** An inspection of real agents that are each asked: who answers, and what is said of those who cannot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InspectionRun } from '../../inspection/model.ts'
import { LocalMesh } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS } from './starling.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4']

describe('an inspection that asks every node', () => {
  let mesh: LocalMesh
  beforeAll(async () => {
    mesh = await LocalMesh.up({ nodes: NODES.length })
  }, TURN_WITHIN_MS)
  afterAll(() => mesh.stop(), TURN_WITHIN_MS)

  const inspect = async () => {
    const { code, stdout, stderr } = await mesh.run('inspect', '--fresh', '-o', 'json')
    expect(stdout, `exit code ${code}: ${stderr}`).not.toBe('')
    const run = JSON.parse(stdout) as InspectionRun
    expect([run.origin, run.nodes]).toEqual(['fresh', NODES.length])
    return run
  }
  const silentIn = ({ silent }: InspectionRun) => new Map(silent.map(({ node, why }) => [node, why]))

  it(
    'hears all that live, and knows why the others are silent',
    async () => {
      await mesh.untilCovered()
      const whole = await inspect()
      expect(silentIn(whole)).toEqual(new Map())
      // What agents find out about themselves, as which settings they run, is no detector's, and belongs to it all the same.
      const others = whole.sections.flatMap(({ checks }) => checks).filter(({ check }) => check === 'others')
      expect(others.reduce((sum, { counts }) => sum + counts.info, 0)).toBe(NODES.length)

      const { code, stderr } = await mesh.run('chaos', 'kill-agent', 'node-3')
      expect([code, stderr]).toEqual([0, ''])
      await mesh.untilState('node-3', 'AgentDown')
      const stopped = mesh.pidOf('node-4')
      process.kill(stopped, 'SIGSTOP')
      try {
        const silent = silentIn(await inspect())
        expect(silent.get('node-3')).toBe('AgentDown')
        // It is asked until the time is up; by then the mesh may have found what is wrong with it.
        expect(['no-answer', 'AgentDown']).toContain(silent.get('node-4'))
        expect(silent.size).toBe(2)
      } finally {
        process.kill(stopped, 'SIGCONT')
      }
    },
    3 * DEADLINE_MS,
  )
})
