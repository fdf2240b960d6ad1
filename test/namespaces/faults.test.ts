/**
 * Faults of real networks and processes, each with the outcome that docs/protocol.md section 8 demands: on agents that run
 * in network namespaces, joined by a bridge. One mesh for all, since sixteen agents take half a minute to start.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { eventsAfter, lastSeq } from '../../bench/history.ts'
import { NamespaceMesh } from '../../bench/namespaces/mesh.ts'
import { missingForNamespaces } from '../../bench/namespaces/namespace.ts'
import type { Heal } from '../../bench/namespaces/network.ts'
import { isHeard, until, untilWhole } from '../../bench/whole.ts'
import { describeReal } from '../real-part.ts'

const NODES = 16
/** TCP's back-off grows with it: `npm run test:long` takes 300. */
const SILENCE_S = Number(process.env.STARLING_SILENCE_SECONDS ?? 40)
/** Two waits, each with its own generous deadline. */
const TEST_WITHIN_MS = 600_000 + SILENCE_S * 1_000
const LOSS = 0.3

describeReal('a mesh in network namespaces', missingForNamespaces(), () => {
  let mesh: NamespaceMesh
  let seq = 0
  /** What a failed test left behind must not fail the others. */
  const heals: Heal[] = []
  const healAll = async () => {
    for (const heal of heals.splice(0)) await heal()
  }
  beforeAll(async () => {
    mesh = await NamespaceMesh.start(NODES)
  }, TEST_WITHIN_MS)
  afterAll(() => mesh?.stop())

  const events = async (...kinds: EventKind[]) => eventsAfter(mesh.client, seq, kinds)
  const nodesOf = async (...kinds: EventKind[]) =>
    [...new Set((await events(...kinds)).map(({ node }) => node))].toSorted()
  const untilEvent = (kind: EventKind, node: string) =>
    until(mesh.client, `${kind} of ${node}`, async () => (await events(kind)).find((event) => event.node === node))

  const pull = (node: string): Heal => {
    mesh.network.pull(node)
    const heal = async () => mesh.network.plug(node)
    heals.push(heal)
    return heal
  }
  const stopAgent = (node: string): Heal => {
    const { agent } = mesh.processes(node)
    agent.signal('SIGSTOP')
    const heal = async () => agent.signal('SIGCONT')
    heals.push(heal)
    return heal
  }
  const swallow = async (swallowing: Promise<Heal>): Promise<Heal> => {
    const heal = await swallowing
    heals.push(heal)
    return heal
  }
  const tellHealing = async (what: string) => {
    const healedAt = performance.now()
    await until(mesh.client, 'no vote stands', async () => isHeard(await mesh.client.state()))
    const heardMs = performance.now() - healedAt
    await untilWhole(mesh.client)
    const wholeMs = performance.now() - healedAt
    const figures = `every observer hears it ${seconds(heardMs)} s after healing, can vote again after ${seconds(wholeMs)} s`
    process.stderr.write(`${what}: ${figures}\n`)
  }

  describe('whole to begin with', () => {
    beforeEach(async () => {
      seq = await lastSeq(mesh.client)
    })
    afterEach(async () => {
      await healAll()
      await untilWhole(mesh.client)
    }, TEST_WITHIN_MS)

    it(
      'finds a dead host and its return, and holds nothing against one whose agent is stopped meanwhile',
      async () => {
        const resume = stopAgent('node-6')
        await untilEvent('agent-down', 'node-6')
        const plug = pull('node-3')
        const verdict = await untilEvent('verdict', 'node-3')
        expect(verdict.data.verdict).toBe('NodeDown')
        await plug()
        const recovered = await untilEvent('recovered', 'node-3')
        expect(recovered.causedBy).toBe(verdict.id)
        await resume()
        await untilWhole(mesh.client)
        expect(await nodesOf('verdict')).toEqual(['node-3'])
        expect(await nodesOf('agent-down')).toEqual(['node-6'])
      },
      TEST_WITHIN_MS,
    )

    it(
      'is whole again after all packets of one node were swallowed for 5 s',
      async () => {
        const heal = await swallow(mesh.network.swallowAround('node-9'))
        await wait(5_000)
        await heal()
        await tellHealing('5 s of silence')
        expect((await nodesOf('verdict')).filter((node) => node !== 'node-9')).toEqual([])
      },
      TEST_WITHIN_MS,
    )
  })

  describe(`while all packets of one node are swallowed for ${SILENCE_S} s`, () => {
    const CUT_OFF = 'node-15'
    let healAt = 0
    let reconnect: Heal
    beforeAll(async () => {
      seq = await lastSeq(mesh.client)
      healAt = performance.now() + SILENCE_S * 1_000
      reconnect = await swallow(mesh.network.swallowAround(CUT_OFF))
      await untilEvent('verdict', CUT_OFF)
    }, TEST_WITHIN_MS)
    afterAll(healAll)

    it(
      'reports an agent that was killed, and marks nobody for it',
      async () => {
        const { agent } = mesh.processes('node-5')
        agent.signal('SIGKILL')
        await untilEvent('agent-down', 'node-5')
        await until(mesh.client, 'the agent has ended', () => !agent.isRunning)
        agent.start()
        await untilEvent('agent-up', 'node-5')
        expect(await nodesOf('verdict')).toEqual([CUT_OFF])
      },
      TEST_WITHIN_MS,
    )

    it(
      'marks nobody whom three others cannot hear',
      async () => {
        const deaf = (await mesh.member('node-7')).observers.filter((node) => node !== CUT_OFF).slice(0, 3)
        const healing = await Promise.all(deaf.map((node) => swallow(mesh.network.swallow('node-7', node))))
        await until(mesh.client, 'they say so', async () => (await mesh.member('node-7')).votes.length === deaf.length)
        for (const heal of healing) await heal()
        await until(mesh.client, 'they hear it', async () => (await mesh.member('node-7')).votes.length === 0)
        expect(await nodesOf('verdict')).toEqual([CUT_OFF])
      },
      TEST_WITHIN_MS,
    )

    it(
      'marks nobody who loses 30 % of all packets each way',
      async () => {
        const heal = await swallow(mesh.network.swallowAround('node-2', LOSS))
        await wait(20_000)
        await heal()
        await untilWhole(mesh.client, [CUT_OFF])
        expect(await nodesOf('verdict')).toEqual([CUT_OFF])
      },
      TEST_WITHIN_MS,
    )

    it(
      'and is whole again after it',
      async () => {
        await wait(Math.max(0, healAt - performance.now()))
        await reconnect()
        await tellHealing(`${SILENCE_S} s of silence`)
        expect(await nodesOf('recovered')).toEqual([CUT_OFF])
        expect(await nodesOf('verdict')).toEqual([CUT_OFF])
      },
      TEST_WITHIN_MS,
    )
  })
})

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1)
}
