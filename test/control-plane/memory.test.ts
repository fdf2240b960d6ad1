/**
 * The memory of two aggregators on a real control plane, each with a disk of its own: the leader is killed and its disk is
 * gone, and whoever is elected goes on with all that was acknowledged; then the same the other way round.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import type { StoredEvent } from '../../aggregator/model.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { putInForce } from '../../bench/control-plane/settings.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import type { Aggregator } from '../../bench/namespaces/mesh.ts'
import { SOURCE } from '../../bench/program.ts'
import { LocalProcess } from '../../cli/local/processes.ts'
import { describeReal } from '../real-part.ts'
import { Front } from './front.ts'
import { Leaders } from './leaders.ts'
import { Receiver } from './receiver.ts'
import { Remembering } from './remembering.ts'
import { leaveFirst, theStage, WITHIN_MS } from './stage.ts'
import { timed } from './timed.ts'

const MINUTE_MS = 60_000
/** Before a minute begins: three decisions, and then whoever leads next has not looked for reports yet. */
const BEFORE_MS = 2_000
const BY_API = { via: 'api' }

describeReal('the memory of two aggregators', missingForNodes(), () => {
  const dead = 'node-2'
  const reason = 'it is looked after'
  let stage: ControlPlaneStage
  let leaders: Leaders
  let remembering: Remembering
  let receiver: Receiver
  let front: Front
  /** The front's, in the order in which they are tried. */
  let behind: readonly Aggregator[] = []
  let follower: LocalProcess | undefined

  beforeAll(async () => {
    stage = await theStage()
    leaders = new Leaders(stage)
    remembering = new Remembering(stage)
    receiver = await Receiver.start(stage.network)
    front = await Front.open(() => behind)
    for (const { process } of stage.mesh.aggregators) await process.stop()
    remembering.configure({
      sinks: { hook: { kind: 'webhook', url: Receiver.urlOf('alerts') } },
      reports: [
        {
          name: 'weekly',
          kind: 'remediation-review',
          schedule: { cron: '* * * * *' },
          to: [{ webhook: Receiver.urlOf('reports') }],
        },
      ],
    })
    leaders.startTwo()
    await leaders.untilStandsBy(leaders.not(await leaders.leader()))
    await putInForce(stage, { alerting: { routes: [{ match: { reasons: ['NodeDown'] }, sinks: ['hook'] }] } })
    await stage.mesh.untilWhole()
  }, WITHIN_MS)

  afterAll(async () => {
    await follower?.stop()
    front.close()
    receiver.stop()
    stage.network.plug(dead)
    for (const { process } of stage.mesh.aggregators) await process.stop()
    remembering.restore()
    leaders.startTwo()
    await leaveFirst(stage)
    await putInForce(stage, { alerting: {} })
    await stage.mesh.untilWhole()
  }, WITHIN_MS)

  const settingsFile = () => join(stage.network.dir, 'settings.yaml')
  /** What the receiver was told of the node's death. */
  const told = () => receiver.alerts.filter(({ commonLabels }) => commonLabels.node === dead)
  const followed = () =>
    readFileSync(follower?.logFile ?? '', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => (JSON.parse(line) as { readonly item: StoredEvent }).item.id)

  const killed = async (leader: Aggregator, next: Aggregator) => {
    await leaders.kill(leader)
    await timed('leader killed to the next one', leaders.untilLeads(next))
  }

  it(
    'goes on at whoever is elected, with all that was acknowledged, when the leader is killed and its disk is gone',
    async () => {
      const leader = await leaders.leader()
      const standby = leaders.not(leader)
      behind = [leader, standby]
      // An earlier try has left these.
      await follower?.stop()
      receiver.forget()
      const logFile = join(stage.network.dir, `follower-${Date.now()}.log`)
      const args = ['--follow', '-o', 'json', '--limit', '1', '--url', front.url, '--token', remembering.token]
      follower = new LocalProcess('follower', ['events', ...args], logFile, { program: SOURCE })
      follower.start()
      await stage.cluster.until('the follower', () => followed().length > 0)
      await remembering.untilCopied(leader)
      const earlier = await remembering.ids(leader)

      stage.network.pull(dead)
      await timed(
        'death to told',
        stage.cluster.until('the alert', () => told().length > 0),
      )
      const incident = told()[0]?.groupKey ?? ''

      // Time is what this is about: a report is due when nobody leads.
      await timed(
        'the end of a minute',
        stage.cluster.until('the end of a minute', () => MINUTE_MS - (Date.now() % MINUTE_MS) < BEFORE_MS),
      )
      const due = new Date(Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS).toISOString()
      const pause = { scope: { kind: 'node', name: 'node-3' }, for: '1h', reason, ...BY_API }
      const silence = { match: { reasons: ['DiskAlmostFull'] }, for: '1h', reason }
      const given = parse(readFileSync(settingsFile(), 'utf8'))
      let { version } = given
      const proposed = () => ({
        ...given,
        alerting: { ...given.alerting, silences: { longest: '8d' } },
        version: ++version,
      })
      const decided = [
        await remembering.decide(leader, 'remediations/pauses', () => pause),
        await remembering.decide(leader, 'silences', () => silence),
        await remembering.decide(leader, 'settings', () => ({ document: proposed(), ...BY_API })),
      ]
      await killed(leader, standby)
      remembering.wipe(leader)
      await stage.cluster.until('what was decided is so', async () => {
        const [{ settings, permits }, silences] = await Promise.all([standby.client.state(), standby.client.silences()])
        expect(settings.version).toBe(version)
        expect(permits.pauses).toContainEqual(expect.objectContaining({ scope: pause.scope, reason }))
        expect(silences.map(({ id }) => `silence/${id}`)).toContain(decided[1]?.id)
        return true
      })
      // As an operator does, so that the next version there is newer.
      const { document } = await standby.client.settings()
      writeFileSync(settingsFile(), stringify(document))
      const after = await remembering.ids(standby)
      expect([...after]).toEqual(expect.arrayContaining([...decided.map(({ id }) => id), `alert/${incident}`]))
      expect([...earlier].filter((id) => !after.has(id))).toEqual([])
      expect(await remembering.verify(standby)).toMatch(/^holds: /)

      stage.network.plug(dead)
      leader.process.start()
      await timed('an empty one to all of it', remembering.untilHasAll(leader, after))
      await timed(
        'the report',
        stage.cluster.until('the report', () => receiver.reports.some((one) => one.due === due)),
      )
      await timed(
        'back to told that it is over',
        stage.cluster.until('its end', () => told().at(-1)?.status === 'resolved'),
      )
      expect(new Set(told().map(({ groupKey }) => groupKey))).toEqual(new Set([incident]))

      await remembering.untilCopied(standby)
      const all = await remembering.ids(standby)
      await killed(standby, leader)
      const last = await remembering.ids(leader)
      expect([...all].filter((id) => !last.has(id))).toEqual([])
      expect((await leader.client.silences()).map(({ id }) => `silence/${id}`)).toContain(decided[1]?.id)
      expect((await leader.client.settings()).document).toEqual(document)
      expect(await remembering.verify(leader)).toMatch(/^holds: /)
      const dues = receiver.reports.map((report) => report.due)
      expect(dues).toEqual([...new Set(dues)])

      const happened = [...last].filter((id) => !earlier.has(id))
      await stage.cluster.until('all is followed', () => happened.every((id) => followed().includes(id)))
      const ids = followed()
      expect(ids).toEqual([...new Set(ids)])
    },
    WITHIN_MS,
  )
})
