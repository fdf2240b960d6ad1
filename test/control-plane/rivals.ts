/** Cases of leadership.test.ts in which two hold themselves for the leader, or are made to, and with a third to follow. */
import { expect, it } from 'vitest'
import { isReady } from '../../bench/control-plane/objects.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { followReady } from './followed.ts'
import { LEASE_MS, type Leaders } from './leaders.ts'
import type { Served } from './served.ts'
import { WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

/** More than are written at once: who is stopped at the first mark has not sent all. */
const MANY_PODS = 24
/** Somebody whom no aggregator can knock at. */
const STRANGER = 'elsewhere_1.1'

interface Led {
  readonly stage: ControlPlaneStage
  readonly leaders: Leaders
  readonly served: Served
}

export function rivalCases(led: () => Led): void {
  const itEnds = (name: string, test: (given: Led) => Promise<void>) => it(name, () => test(led()), WITHIN_MS)

  itEnds('a leader that is stopped while it marks writes nothing that lasts when it goes on', async (given) => {
    const { stage, leaders, served } = given
    const node = 'node-1'
    await served.deploy([node], MANY_PODS)
    const leader = await leaders.leader()
    const standby = leaders.not(leader)
    stage.network.pull(node)
    await served.untilFirstMark(node)
    leader.process.signal('SIGSTOP')
    const stoppedAt = Date.now()
    let followed = followReady(stage.plane.admin, node)
    try {
      const left = (await stage.cluster.pods(node)).filter(isReady).length
      process.stderr.write(`    stopped with ${left} of ${MANY_PODS} pods unmarked\n`)
      await timed('leader stopped to the next one', leaders.untilLeads(standby))
      await timed('... to marked', served.untilMarked(node))
      expect(followed.seen).toEqual(['not Ready'])
      stage.network.plug(node)
      await timed('back to undone by the new leader', served.untilUndone(node))
      await leaders.untilRenewedFor(stoppedAt, 3 * LEASE_MS)
      followed.stop()
      followed = followReady(stage.plane.admin, node)
    } finally {
      leader.process.signal('SIGCONT')
    }
    const goesOnAt = Date.now()
    await timed('going on to standing by', leaders.untilStandsBy(leader))
    await timed('... to all as before', served.untilUndone(node))
    await leaders.untilRenewedFor(goesOnAt, LEASE_MS)
    expect(await served.isUndone(node)).toBe(true)
    process.stderr.write(`    meanwhile the node was ${followed.seen.join(', ')}\n`)
    followed.stop()
    expect(await leaders.leading()).toEqual([standby.name])
  })

  itEnds('a Lease that is deleted while a node is marked: the mark stays, and one leads', async (given) => {
    await marksThrough(given, 'node-2', () => given.leaders.takeLease())
  })

  itEnds('a Lease that is given to a stranger while a node is marked: the mark stays, and one leads', async (given) => {
    const { term } = await given.leaders.lease()
    await marksThrough(given, 'node-3', () => given.leaders.giveLease(STRANGER, term + 10))
    expect((await given.leaders.lease()).term).toBeGreaterThan(term + 10)
  })

  itEnds(
    'of three aggregators two are killed one after the other: one of the rest follows each time',
    async (given) => {
      const { stage, leaders, served } = given
      const node = 'node-4'
      const { aggregators } = stage.mesh
      for (const aggregator of aggregators) if (!aggregator.process.isRunning) await leaders.startAgain(aggregator)
      stage.network.pull(node)
      await served.untilMarked(node)
      const followed = followReady(stage.plane.admin, node)
      let { term } = await leaders.lease()
      for (const order of ['first', 'second']) {
        await leaders.kill(await leaders.leader())
        await timed(`${order} leader killed to the next one`, leaders.leader())
        const next = await leaders.lease()
        expect(next.term).toBeGreaterThan(term)
        term = next.term
        // Its first look at all Nodes, its second after 5 s, and those between.
        await leaders.untilRenewedFor(next.renewedAt, LEASE_MS)
        expect(await served.isMarked(node)).toBe(true)
      }
      expect(followed.seen).toEqual(['not Ready'])
      followed.stop()
      stage.network.plug(node)
      await timed('back to undone by the third leader', served.untilUndone(node))
      for (const aggregator of aggregators) if (!aggregator.process.isRunning) await leaders.startAgain(aggregator)
      expect(await leaders.leading()).toHaveLength(1)
      await aggregators[2]?.process.stop()
    },
  )
}

/** The node dies, and at its first mark that is done to the Lease. It stays marked until it is back. */
async function marksThrough({ stage, leaders, served }: Led, node: string, done: () => Promise<void>): Promise<void> {
  const { term } = await leaders.lease()
  const followed = followReady(stage.plane.admin, node)
  stage.network.pull(node)
  await served.untilFirstMark(node)
  await done()
  const isLater = async () => (await leaders.lease()).term > term
  await timed('that to a later term', stage.cluster.until('a later term', isLater))
  await timed('... to a leader', leaders.leader())
  await timed('... to marked', served.untilMarked(node))
  const { renewedAt } = await leaders.lease()
  await leaders.untilRenewedFor(renewedAt, LEASE_MS)
  expect(await leaders.leading()).toHaveLength(1)
  stage.network.plug(node)
  await timed('back to undone', served.untilUndone(node))
  expect(followed.seen).toEqual(['Ready', 'not Ready', 'Ready'])
  followed.stop()
}
