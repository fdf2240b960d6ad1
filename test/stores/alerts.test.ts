/** From what is wrong to a real Alertmanager and back, with silences and dead letters by API and command line. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { AlertDesk } from '../../aggregator/alerting/desk.ts'
import { ForeignAlerts } from '../../aggregator/alerting/foreign-desk.ts'
import { registerAlertRoutes } from '../../aggregator/alerting/routes.ts'
import { callersOf } from '../../aggregator/http/auth.ts'
import { createHttpServer, listenHttp } from '../../aggregator/http/server.ts'
import type { Snapshot } from '../../aggregator/model.ts'
import { createNodeDesks } from '../../aggregator/node-desks.ts'
import { Recorder as History } from '../../aggregator/recorder.ts'
import { sinksPart } from '../../aggregator/sinks/config.ts'
import { Dispatch } from '../../aggregator/sinks/dispatch.ts'
import { makeSinks } from '../../aggregator/sinks/make.ts'
import { openJournal, type SqliteJournal } from '../../aggregator/store/sqlite.ts'
import { createClient } from '../../cli/client.ts'
import { alertingPart } from '../../settings/alerting.ts'
import { member } from '../aggregator/alerting/samples.ts'
import { createSamplePort } from '../aggregator/sample-port.ts'
import { NO_TRAIL, TOKEN } from '../aggregator/serve-sample.ts'
import { Alertmanager, needsAlertmanager } from '../alertmanager.ts'
import { run } from '../cli/harness.ts'
import { describeReal } from '../real-part.ts'
import { Recorder } from './recorder.ts'

const SECRET = 'hook-0123456789-do-not-tell'
const WITHIN_MS = 60_000

describeReal('alerts that real parts receive', needsAlertmanager(), () => {
  const sample = createSamplePort()
  const logged: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) })
  let dir: string
  let journal: SqliteJournal
  let recorder: Recorder
  let alertmanager: Alertmanager
  let server: FastifyInstance
  let url: string
  let desk: AlertDesk
  let dispatch: Dispatch
  let foreign: ForeignAlerts
  let present: Snapshot
  let settings = alertingPart.parse({ routes: [{ sinks: ['am', 'chat'] }] })

  /** Behind the real one, so that who has just begun to lead has led for a while. */
  let behindMs = 60_000

  /** A life of the aggregator, on the same journal. */
  const start = (life: number) => {
    const { alerts: story } = new History(journal, `aggregator.${life}`, () => {})
    const sinks = makeSinks(
      sinksPart.parse({
        am: { kind: 'alertmanager', urlEnv: 'STARLING_TEST_ALERTMANAGER' },
        chat: { kind: 'slack', urlEnv: 'STARLING_TEST_HOOK' },
        broken: { kind: 'webhook', url: `${recorder.url}/broken` },
        hanging: { kind: 'webhook', url: `${recorder.url}/hanging` },
      }),
      undefined,
    )
    const dispatch = new Dispatch({ sinks, journal, lost: (letter) => story.lost(letter), log })
    const snapshot = () => present
    const known = { journal, snapshot, subscribe: () => () => {}, settings: () => settings, leads: () => true }
    const measures = { averages: () => [], missing: () => undefined }
    const now = () => Date.now() - behindMs
    const desk = new AlertDesk({ node: 'aggregator', log, ...known, measures, now, story, dispatch, link: undefined })
    return { story, snapshot, dispatch, desk, mesh: 'prod-a', link: undefined }
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'starling-alerts-'))
    journal = openJournal(join(dir, 'history.sqlite'))
    recorder = await Recorder.start()
    process.env.STARLING_TEST_HOOK = `${recorder.url}/chat/${SECRET}`
    recorder.answers.set('/broken', { status: 400, body: 'no such hook' })
    recorder.answers.set('/hanging', 'hang')
    present = { ...sample.snapshot(), members: [], findings: [] }
    const parts = start(1)
    ;({ desk, dispatch } = parts)
    foreign = new ForeignAlerts(journal)
    server = createHttpServer({
      port: sample,
      storeName: 'sample',
      version: '1.2.3',
      desks: createNodeDesks(),
      trail: NO_TRAIL,
      callers: callersOf(TOKEN, () => []),
      webRoot: dir,
      registerMore: (api) => registerAlertRoutes(api, { ...parts, foreign }),
      metrics: async () => '',
      log,
    })
    url = await listenHttp(server, '127.0.0.1', 0)
    alertmanager = await Alertmanager.start({ url: `${url}/api/v1/alerts/alertmanager`, token: TOKEN })
    process.env.STARLING_TEST_ALERTMANAGER = alertmanager.url
    desk.look()
    behindMs = 0
  })
  afterAll(async () => {
    desk?.stop()
    await Promise.all([server?.close(), recorder?.stop(), alertmanager?.stop()])
    journal.close()
    rmSync(dir, { recursive: true })
  })

  const client = () => createClient({ url, token: TOKEN })
  const starling = (...args: readonly string[]) => run([...args, '--url', url, '--token', TOKEN])
  const shown = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await starling(...args, '-o', 'json')
    return { items: code === 0 ? JSON.parse(stdout).items : [], stderr, code }
  }
  const until = async (what: string, isSo: () => boolean) => {
    const deadline = performance.now() + WITHIN_MS
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`not within a minute: ${what}`)
      await wait(50)
    }
  }
  const place = (...nodes: readonly string[]) => {
    const members = ['w1', 'w2', 'w3', 'w4'].map((node) =>
      member(node, node === 'w4' ? 'b' : 'a', nodes.includes(node) ? 'NodeDown' : 'alive'),
    )
    const all = members.map((one) => ({ ...one, address: '/ip4/10.0.0.1/tcp/7790' }))
    present = { ...present, members: all as unknown as Snapshot['members'] }
  }
  const atAlertmanager = (...args: readonly string[]) =>
    JSON.parse(alertmanager.tool('alert', 'query', '--output=json', ...args)) as { labels: Record<string, string> }[]

  it('a zone that is lost is one alert at Alertmanager, where a silence works, and is over when the zone is back', async () => {
    place('w1', 'w2', 'w3')
    desk.look()
    await until('shown by amtool', () => atAlertmanager().length === 1)
    expect(atAlertmanager()[0]?.labels).toMatchObject({
      alertname: 'ZoneDown',
      zone: 'a',
      severity: 'error',
      mesh: present.mesh.id,
    })
    expect((await recorder.until('/chat', 1)).body.text).toContain('zone a: 3 nodes are down')
    alertmanager.tool('silence', 'add', 'alertname=ZoneDown', '--comment=known', '--duration=1h', '--author=a test')
    await until('silenced there', () => atAlertmanager('--silenced').length === 1 && atAlertmanager().length === 0)
    const items = await client().alerts('en')
    expect(items).toMatchObject([
      { reason: 'ZoneDown', state: 'firing', count: 3, told: [{ sink: 'am' }, { sink: 'chat' }] },
    ])

    // Another life: nobody is told twice, and what nodes had no time to say yet is not over.
    const chats = recorder.at('/chat').length
    const next = start(2)
    place()
    next.desk.look()
    expect([...next.desk.incidents.values()].map(({ id }) => id)).toEqual([items[0]?.id])
    next.dispatch.stop()
    expect(recorder.at('/chat')).toHaveLength(chats)

    // Whoever was told hears that it is over, though nobody would be told of it now.
    settings = {}
    desk.look()
    expect((await recorder.until('/chat', chats + 1)).body.text).toContain('[RESOLVED]')
    await until('over at Alertmanager', () => atAlertmanager('--silenced').length === 0)
    expect(await client().alerts('en')).toEqual([])
  })

  it('what an Alertmanager says is a finding of a node; ours that came back are none', async () => {
    await alertmanager.push({ alertname: 'node_disk_slow', instance: '10.0.0.1:9100', severity: 'warning' })
    await until('heard', () => foreign.findings(new Set(['w4']), Date.now()).length === 1)
    expect(foreign.findings(new Set(['w4']), Date.now())).toMatchObject([
      { reason: 'NodeDiskSlow', status: 'warn', detector: 'alertmanager' },
    ])
    const body = { version: '4', alerts: [{ status: 'firing' }] }
    const headers = { authorization: `Bearer ${TOKEN}` }
    const refused = await server.inject({ method: 'POST', url: '/api/v1/alerts/alertmanager', payload: body, headers })
    expect([refused.statusCode, refused.json().errors[0].field]).toEqual([400, 'alerts.0.labels'])
    const stranger = await server.inject({ method: 'POST', url: '/api/v1/alerts/alertmanager', payload: body })
    expect(stranger.statusCode).toBe(401)
  })

  it('a silence is kept and shown with what it holds, also when that is nothing, and can be ended', async () => {
    settings = alertingPart.parse({ routes: [{ sinks: ['chat'] }], silences: { longest: '1d' } })
    const add = ['silence', 'add', '--reason', 'the network is rebuilt', '--for']
    const tooLong = client().silence({ reasons: ['NoQuorum'] }, '2d', 'too long')
    await expect(tooLong).rejects.toThrow('1 days at most')
    expect((await shown(...add, '1h', '--fault', 'NoQuorum')).code).toBe(0)
    expect((await shown('silence', 'list')).items).toMatchObject([
      { matches: 0, author: 'local-token', reason: 'the network is rebuilt' },
    ])
    const before = recorder.at('/chat').length
    present = { ...present, mesh: { ...present.mesh, hasQuorum: false } }
    desk.look()
    const [silence] = await client().silences()
    expect(silence?.matches).toBe(1)
    expect(await client().alerts('en')).toContainEqual(
      expect.objectContaining({ reason: 'NoQuorum', state: 'silenced' }),
    )
    expect(recorder.at('/chat')).toHaveLength(before)
    expect((await shown('silence', 'expire', silence?.id ?? '', '--reason', 'done')).code).toBe(0)
    expect((await recorder.until('/chat', before + 1)).body.text).toContain('NoQuorum')
    await expect(client().endSilence(silence?.id ?? '', 'again')).rejects.toThrow('there is no silence')
  })

  it('a broken or hanging sink holds up no other, and what it did not take is shown and sent again', async () => {
    settings = alertingPart.parse({ routes: [{ sinks: ['hanging', 'broken', 'chat'] }] })
    const before = recorder.at('/chat').length
    present = { ...present, mesh: { ...present.mesh, frozen: 'too many at once' } }
    desk.look()
    await recorder.until('/chat', before + 1)
    await recorder.until('/broken', 1)
    await until('given up', () => dispatch.dead.length > 0)
    desk.look()
    const { items } = await shown('notify', 'dead')
    expect(items[0]).toMatchObject({ sink: 'broken', state: 'firing', why: expect.stringContaining('answers 400') })
    expect(await client().alerts('en')).toContainEqual(expect.objectContaining({ reason: 'Undelivered' }))
    recorder.answers.delete('/broken')
    const count = recorder.at('/broken').length
    expect(await client().sendAgain([items[0].id])).toHaveLength(1)
    await recorder.until('/broken', count + 1)
    await client().testSink('chat', { language: 'zh', zone: 'UTC' })
    expect(recorder.at('/chat').at(-1)?.body.text).toContain('[测试]')
    await expect(client().testSink('nobody', { language: 'en', zone: 'UTC' })).rejects.toThrow('there is am, chat')
    recorder.answers.set('/chat', { status: 403, body: `${SECRET} is no hook` })
    expect(await shown('notify', 'test', 'chat')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('answers 403: *** is no hook'),
    })
  })

  it('nowhere is a secret told', () => {
    const events = JSON.stringify(journal.query({ limit: 1_000 }))
    const facts = JSON.stringify([...journal.facts('alerting/')])
    for (const text of [logged.join(''), events, facts]) expect(text).not.toContain('do-not-tell')
    expect(events).toContain('"undelivered"')
  })
})
