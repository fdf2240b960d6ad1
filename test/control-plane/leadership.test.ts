/**
 * Two aggregators on a real control plane: one leads, and whatever becomes of it, Nodes and pods end as they should be. What
 * takes minutes runs with STARLING_LEADERS=long (`npm run test:long`), three aggregators as well.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { EventKind } from '../../aggregator/model.ts'
import { isReady } from '../../bench/control-plane/objects.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { lastSeq } from '../../bench/history.ts'
import type { Aggregator } from '../../bench/namespaces/mesh.ts'
import { describeReal } from '../real-part.ts'
import { LEASE_MS, Leaders } from './leaders.ts'
import { rivalCases } from './rivals.ts'
import { Served } from './served.ts'
import { shownOn } from './shown.ts'
import { leaveFirst, theStage, WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

const isLong = process.env.STARLING_LEADERS === 'long'
const PODS_PER_NODE = 2
/** Longer than the Lease, the controller manager's grace here, and every retry. */
const AWAY_MS = 60_000

describeReal('two aggregators on a real control plane', missingForNodes(), () => {
  let stage: ControlPlaneStage
  let leaders: Leaders
  let served: Served
  let nodes: readonly string[] = []
  /** Each death on a node of its own: one that keeps coming and going has to be heard for longer each time. */
  const [first, second, third, fourth, fifth, sixth] = [
    'node-1',
    'node-2',
    'node-3',
    'node-4',
    'node-5',
    'node-6',
  ] as const

  beforeAll(async () => {
    stage = await theStage()
    leaders = new Leaders(stage)
    nodes = [...stage.kubelets.keys()]
    await putInForce(stage, { marking: { mode: 'ready' } })
    served = new Served(stage, 'led')
    await served.start()
    await served.deploy(nodes, PODS_PER_NODE)
    leaders.startTwo()
    await allIsWell()
  }, WITHIN_MS)
  afterEach(async () => {
    for (const node of nodes) stage.network.plug(node)
    leaders.startTwo()
    await allIsWell()
  }, WITHIN_MS)
  afterAll(async () => {
    await leaveFirst(stage)
    await served.remove()
    await putInForce(stage, { marking: { mode: 'observe' } })
  }, WITHIN_MS)

  /** Nothing of ours on any Node, all Ready, all served, two aggregators, and a mesh that knows nothing else. */
  async function allIsWell(): Promise<void> {
    const leader = await leaders.leader()
    await leaders.untilStandsBy(leaders.not(leader))
    await stage.cluster.untilReady(nodes)
    for (const node of nodes) await served.untilUndone(node)
    await stage.mesh.untilWhole()
  }
  /** What it has on record since. */
  const kinds = async ({ client }: Aggregator, after: number, node: string, ...wanted: readonly EventKind[]) => {
    const events = await client.events({ node, kinds: wanted, limit: 100 })
    return events.filter(({ seq }) => seq > after).map(({ kind }) => kind)
  }

  const itLong = (name: string, test: () => Promise<void>) => {
    if (isLong) it(name, test, WITHIN_MS)
  }

  it(
    'one leads and marks; killed, the other takes over, keeps the mark, undoes it, and marks the next death',
    async () => {
      const leader = await leaders.leader()
      const standby = leaders.not(leader)
      const { term } = await leaders.lease()
      stage.network.pull(first)
      await timed('death to marked', served.untilMarked(first))
      const { says } = await shownOn(stage.cluster, first)
      expect(says).toContain(`term=${term} `)

      let wasKept = true
      await leaders.kill(leader)
      const isKept = async () => {
        wasKept &&= await served.isMarked(first)
        return await leaders.leading().then((names) => names.includes(standby.name))
      }
      await timed('leader killed to the next one', stage.cluster.until(`${standby.name} leads`, isKept))
      // Its first look at all Nodes, its second after 5 s, and those between.
      const { renewedAt } = await leaders.lease()
      await stage.cluster.until('some seconds under the new leader', async () => {
        wasKept &&= await served.isMarked(first)
        return (await leaders.lease()).renewedAt - renewedAt >= LEASE_MS
      })
      expect(wasKept).toBe(true)
      expect((await leaders.lease()).term).toBeGreaterThan(term)

      stage.network.plug(first)
      await timed('back to undone by the new leader', served.untilUndone(first))
      stage.network.pull(second)
      await timed('next death to marked', served.untilMarked(second))
      expect((await shownOn(stage.cluster, second)).says).toContain(`term=${(await leaders.lease()).term} `)
      stage.network.plug(second)
      await timed('back to undone', served.untilUndone(second))
      await leaders.startAgain(leader)
      expect(await leaders.leading()).toEqual([standby.name])
    },
    WITHIN_MS,
  )

  it(
    'a leader that is killed with a verdict that it could not write: the next one marks, and undoes',
    async () => {
      const leader = await leaders.leader()
      const after = await lastSeq(leader.client)
      stage.plane.apiServer.pause()
      try {
        stage.network.pull(third)
        const isFound = async () => (await kinds(leader, after, third, 'verdict')).length > 0
        await timed('death to verdict without an API server', stage.cluster.until('the verdict', isFound))
        await leaders.kill(leader)
      } finally {
        stage.plane.apiServer.resume()
      }
      await timed('API server back to the next leader', leaders.untilLeads(leaders.not(leader)))
      await timed('... to marked', served.untilMarked(third))
      stage.network.plug(third)
      await timed('back to undone', served.untilUndone(third))
    },
    WITHIN_MS,
  )

  itLong('a leader that is killed while it marks: what is half done is finished, and undone', async () => {
    const leader = await leaders.leader()
    stage.network.pull(fourth)
    await served.untilFirstMark(fourth)
    await leaders.kill(leader)
    const left = (await stage.cluster.pods(fourth)).filter(isReady).length
    process.stderr.write(`    killed with ${left} of ${PODS_PER_NODE} pods unmarked\n`)
    await leaders.untilLeads(leaders.not(leader))
    await timed('next leader to marked', served.untilMarked(fourth))
    stage.network.plug(fourth)
    await timed('back to undone', served.untilUndone(fourth))
  })

  itLong('a leader that is stopped for three Leases while a node recovers writes nothing when it goes on', async () => {
    const leader = await leaders.leader()
    const standby = leaders.not(leader)
    stage.network.pull(fifth)
    await served.untilMarked(fifth)
    const stoppedAt = Date.now()
    leader.process.signal('SIGSTOP')
    let seq = 0
    try {
      await timed('leader stopped to the next one', leaders.untilLeads(standby))
      stage.network.plug(fifth)
      await timed('back to undone by the new leader', served.untilUndone(fifth))
      await leaders.untilRenewedFor(stoppedAt, 3 * LEASE_MS)
    } finally {
      leader.process.signal('SIGCONT')
    }
    const goesOnAt = Date.now()
    await timed('going on to standing by', leaders.untilStandsBy(leader))
    seq = await lastSeq(leader.client)
    await leaders.untilRenewedFor(goesOnAt, LEASE_MS)
    expect(await served.isUndone(fifth)).toBe(true)
    expect(await leaders.leading()).toEqual([standby.name])
    expect(await kinds(leader, seq, fifth, 'marked', 'undone')).toEqual([])
  })

  itLong(
    'an API server that is gone while nodes die: nothing is queued, and what is dead when it is back is found afresh',
    async () => {
      const before = await leaders.leader()
      const goneAt = Date.now()
      await stage.plane.apiServer.kill()
      stage.network.pull(sixth)
      const isFound = async () => {
        return (await before.client.events({ node: sixth, kinds: ['verdict'], limit: 100 })).some(
          ({ at }) => Date.parse(at) > goneAt,
        )
      }
      await timed('death to verdict', stage.cluster.until('the verdict', isFound))
      // Time is what this is about: nothing else tells that a minute has passed without an API server.
      await stage.cluster.until('a minute without an API server', () => Date.now() - goneAt >= AWAY_MS)
      stage.plane.apiServer.start()
      await stage.plane.untilReady()
      await timed('API server back to a leader', leaders.leader())
      await timed('leader to marked', served.untilMarked(sixth))
      expect((await shownOn(stage.cluster, sixth)).says).toContain(`term=${(await leaders.lease()).term} `)
      stage.network.plug(sixth)
      await timed('back to undone', served.untilUndone(sixth))

      await stage.plane.etcd.kill()
      stage.plane.etcd.start()
      await stage.plane.untilReady()
      await timed('etcd back to a leader', leaders.leader())
      stage.network.pull(second)
      await timed('death after etcd was restarted to marked', served.untilMarked(second))
    },
  )

  itLong('three of six nodes die at once: the leader freezes, and marks none', async () => {
    const leader = await leaders.leader()
    const dead = [first, third, fifth]
    const after = await lastSeq(leader.client)
    for (const node of dead) stage.network.pull(node)
    const isFrozen = async () => (await leader.client.state()).mesh.frozen !== null
    await timed('three deaths to a freeze', stage.cluster.until('the freeze', isFrozen))
    await timed('three deaths to Unknown by Kubernetes itself', untilUnknown(dead))
    await expectNothingOfOurs(leader, after)
    // The next to lead has no freeze to wait out.
    await leaders.kill(leader)
  })

  itLong(
    'half of the mesh with each aggregator, and the API server with both: nobody leads, and nothing is marked',
    async () => {
      const leader = await leaders.leader()
      const standby = leaders.not(leader)
      const after = await Promise.all([lastSeq(leader.client), lastSeq(standby.client)])
      const [here, there] = [
        [leader.name, ...nodes.slice(0, 3)],
        [standby.name, ...nodes.slice(3)],
      ]
      const heals = await Promise.all(here.map((name) => stage.network.cutOff(name, there)))
      try {
        await timed('cut to standing by', leaders.untilStandsBy(leader))
        const isGivenUp = async () => (await leaders.lease()).by === ''
        await timed('... to the Lease given up', stage.cluster.until('no holder', isGivenUp))
        expect(await leaders.leading()).toEqual([])
      } finally {
        for (const heal of heals) await heal()
      }
      await timed('healed to a leader', leaders.leader())
      await stage.mesh.untilWhole()
      await expectNothingOfOurs(leader, after[0])
      await expectNothingOfOurs(standby, after[1])
    },
  )

  if (isLong) rivalCases(() => ({ stage, leaders, served }))

  const untilUnknown = (names: readonly string[]) =>
    stage.cluster.until('Unknown', async () => {
      const shown = await Promise.all(names.map((name) => shownOn(stage.cluster, name)))
      return shown.every(({ ready }) => ready.startsWith('Unknown'))
    })
  async function expectNothingOfOurs(by: Aggregator, after: number): Promise<void> {
    for (const node of nodes) {
      expect((await shownOn(stage.cluster, node)).own).toBeUndefined()
      expect(await kinds(by, after, node, 'marked')).toEqual([])
    }
  }
})
