/** What each sink sends, held against the documented shape of its service, and that no sink tells a secret. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { webhookPayload } from '../../aggregator/alerting/foreign.ts'
import type { Notification } from '../../aggregator/alerting/model.ts'
import { mailPart, type SinkConfig, sinksPart } from '../../aggregator/sinks/config.ts'
import { makeSinks } from '../../aggregator/sinks/make.ts'
import { SinkError } from '../../aggregator/sinks/sink.ts'
import { CertificateAuthority } from '../../bench/control-plane/certificates.ts'
import { HOSTILE, notification, symptom } from '../aggregator/alerting/samples.ts'
import { describeReal } from '../real-part.ts'
import { SmtpReceiver } from '../smtp.ts'
import { Recorder } from './recorder.ts'

const SECRET = 'xoxb-0123456789-do-not-tell'
const RESOLVED = { state: 'resolved', why: 'over' } as const
const ZH = { language: 'zh', zone: 'Asia/Shanghai' } as const

let dir: string
let recorder: Recorder
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'starling-sinks-'))
  recorder = await Recorder.start()
})
afterAll(async () => {
  await recorder.stop()
  rmSync(dir, { recursive: true })
})
beforeEach(() => {
  recorder.posted.length = 0
  recorder.answers.clear()
})

function secretFile(text: string): string {
  const file = join(dir, `secret-${text.length}`)
  writeFileSync(file, `${text}\n`)
  return file
}

async function send(config: object, one: Notification = notification()): Promise<Record<string, unknown>> {
  const sinks = sinksPart.parse({ ops: config }) as Record<string, SinkConfig>
  await makeSinks(sinks, undefined).get('ops')?.notify(one, new AbortController().signal)
  return recorder.posted.at(-1)?.body ?? {}
}

/** An incident whose every word a node chose, and then some. */
const hostile = (more: Partial<Notification> = {}) => {
  const many = Array.from({ length: 300 }, (_, index) =>
    symptom(`${HOSTILE}-${index}`, 'DiskAlmostFull', { said: `${HOSTILE}节点`.repeat(9) }),
  )
  return notification(more, { node: HOSTILE, children: many })
}

describe('what is sent', () => {
  it('to Alertmanager: an alert that ends unless it is said again', async () => {
    const body = (await send({ kind: 'alertmanager', url: `${recorder.url}/prefix/` })) as unknown as readonly Record<
      string,
      string
    >[]
    expect(recorder.posted.at(-1)?.path).toBe('/prefix/api/v2/alerts')
    expect(body).toMatchObject([
      {
        labels: { alertname: 'DiskAlmostFull', mesh: 'prod-a', severity: 'alarm' },
        startsAt: '2026-11-22T10:00:00.000Z',
      },
    ])
    expect(Date.parse(body[0]?.endsAt ?? '')).toBeGreaterThan(Date.now() + 60_000)
    const [over] = (await send(
      { kind: 'alertmanager', url: recorder.url },
      notification(RESOLVED),
    )) as unknown as typeof body
    expect(over?.endsAt).toBe('2026-11-22T10:00:15.000Z')
    expect(over?.labels).toEqual(body[0]?.labels)
  })

  it('to a webhook: what Alertmanager would send', async () => {
    const hook = { kind: 'webhook', url: `${recorder.url}/hook`, tokenFile: secretFile(SECRET) }
    const body = await send(hook)
    expect(recorder.posted.at(-1)?.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'content-type': 'application/json',
    })
    expect(webhookPayload.safeParse(body).success).toBe(true)
    expect(body).toMatchObject({
      version: '4',
      status: 'firing',
      receiver: 'ops',
      truncatedAlerts: 0,
      commonLabels: { alertname: 'DiskAlmostFull' },
      alerts: [
        {
          labels: { node: 'worker-1', severity: 'alarm' },
          endsAt: '0001-01-01T00:00:00Z',
          annotations: { summary: 'DiskAlmostFull on worker-1' },
        },
        { labels: { node: 'worker-2' } },
      ],
    })
    const over = await send(hook, notification(RESOLVED))
    expect(over).toMatchObject({ status: 'resolved', groupKey: body.groupKey, alerts: [{ status: 'resolved' }, {}] })
    expect(await send(hook, hostile())).toMatchObject({ truncatedAlerts: 100 })
  })

  it('to Slack: a text in which nothing is a tag', async () => {
    const { text } = z
      .strictObject({ text: z.string() })
      .parse(await send({ kind: 'slack', url: `${recorder.url}/slack` }, notification(ZH)))
    expect(text).toContain('*[触发] 告警: 2 个节点出现 DiskAlmostFull (prod-a)*\n• worker-1: ')
    const bad = z.strictObject({ text: z.string() }).parse(await send({ kind: 'slack', url: recorder.url }, hostile()))
    expect(bad.text).not.toMatch(/<|>|[\p{Cc}](?<!\n)|\u202e/u)
    expect(bad.text.isWellFormed()).toBe(true)
  })

  it('to WeCom: markdown of 4,096 bytes at most, in which nothing is a tag or a link', async () => {
    recorder.answers.set('/wecom', { status: 200, body: '{"errcode":0,"errmsg":"ok"}' })
    const wecom = { kind: 'wecom', url: `${recorder.url}/wecom` }
    const shape = z.strictObject({ msgtype: z.literal('markdown'), markdown: z.strictObject({ content: z.string() }) })
    const { content } = shape.parse(await send(wecom, notification({ ...ZH, ...RESOLVED }))).markdown
    expect(content).toContain('**【恢复】 告警: 2 个节点出现 DiskAlmostFull (prod-a)**')
    const { content: bad } = shape.parse(await send(wecom, hostile(ZH))).markdown
    expect(Buffer.byteLength(bad)).toBeLessThanOrEqual(4_096)
    expect(bad.replaceAll(/<\/?font[^>]*>/g, '')).not.toMatch(/[<[`]/)
    expect(bad.isWellFormed()).toBe(true)
    recorder.answers.set('/wecom', { status: 200, body: '{"errcode":93000,"errmsg":"invalid webhook url"}' })
    await expect(send(wecom)).rejects.toMatchObject({ isFinal: true, message: 'WeCom refuses it (errcode 93000)' })
    recorder.answers.set('/wecom', { status: 200, body: '{"errcode":45009,"errmsg":"api freq out of limit"}' })
    await expect(send(wecom)).rejects.toMatchObject({ isFinal: false, retryAfterMs: 60_000 })
  })

  it('to PagerDuty: one of theirs for one of ours', async () => {
    const duty = { kind: 'pagerduty', url: `${recorder.url}/v2/enqueue`, keyFile: secretFile(SECRET) }
    const shape = z.strictObject({
      routing_key: z.literal(SECRET),
      event_action: z.literal('trigger'),
      dedup_key: z.string().max(255),
      client: z.string(),
      payload: z.object({
        summary: z.string().max(1_024),
        source: z.string().min(1),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        timestamp: z.iso.datetime(),
      }),
    })
    const fired = shape.parse(await send(duty))
    expect(await send(duty, notification(RESOLVED))).toEqual({
      routing_key: SECRET,
      event_action: 'resolve',
      dedup_key: fired.dedup_key,
    })
    shape.parse(await send(duty, notification({}, { id: `node/${'x'.repeat(300)}` })))
    shape.parse(await send(duty, hostile()))
  })

  it('as a CloudEvent: the envelope of 1.0', async () => {
    const bus = { kind: 'cloudevents', url: `${recorder.url}/events` }
    const envelope = z.strictObject({
      specversion: z.literal('1.0'),
      id: z.string().min(1),
      source: z.string().regex(/^\/starling\//),
      type: z.enum(['mesh.starling.alert.firing', 'mesh.starling.alert.resolved']),
      subject: z.string().min(1),
      time: z.iso.datetime(),
      datacontenttype: z.literal('application/json'),
      data: z.looseObject({ incident: z.string() }),
    })
    const [fired, over] = [envelope.parse(await send(bus)), envelope.parse(await send(bus, notification(RESOLVED)))]
    expect(recorder.posted.at(-1)?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8')
    expect([fired.data.incident === over.data.incident, fired.id === over.id]).toEqual([true, false])
    envelope.parse(await send(bus, hostile()))
  })
})

describe('a sink over HTTP', () => {
  it.each([
    [{ status: 500, body: 'down' }, false, 'answers 500: down'],
    [{ status: 429, headers: { 'retry-after': '30' } }, false, 'answers 429'],
    [{ status: 404, body: `no ${SECRET} here` }, true, 'answers 404: no *** here'],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, true, 'sends elsewhere'],
  ])('that answers %j', async (answer, isFinal, message) => {
    recorder.answers.set('/', answer)
    const refused = send({ kind: 'webhook', url: recorder.url, tokenFile: secretFile(SECRET) })
    await expect(refused).rejects.toBeInstanceOf(SinkError)
    await expect(refused).rejects.toMatchObject({ isFinal, message: expect.stringContaining(message) })
    expect(recorder.posted).toHaveLength(1)
  })

  it('that sends without end, or is not there, has said so, without its address where that is a secret', async () => {
    recorder.answers.set('/', { status: 200, body: 'x'.repeat(100_000) })
    await expect(send({ kind: 'slack', url: recorder.url })).rejects.toThrow('too large')
    recorder.answers.set('/', { status: 403, body: `no such hook: /services/${SECRET}` })
    const secret = { kind: 'slack', urlFile: secretFile(`${recorder.url}/services/${SECRET}`) }
    await expect(send(secret)).rejects.toThrow('answers 403')
    await expect(send(secret)).rejects.not.toThrow(SECRET)
    await expect(send({ kind: 'slack', url: 'http://127.0.0.1:1/' })).rejects.toThrow(/127\.0\.0\.1:1: /)
    await expect(send({ kind: 'slack', urlFile: '/nowhere' })).rejects.toThrow('/nowhere cannot be read (ENOENT)')
    await expect(send({ kind: 'slack', urlEnv: 'STARLING_NO_SUCH' })).rejects.toThrow('STARLING_NO_SUCH is not set')
    await expect(send({ kind: 'webhook', urlFile: secretFile('file:///etc/passwd') })).rejects.toThrow(
      'not one of http',
    )
  })
})

describe('mail', () => {
  it('goes over a real server, with a password that is not told, and headers that stay headers', async () => {
    const smtp = await SmtpReceiver.start({ login: { user: 'starling', password: SECRET } })
    const to = ['ops@example.org', 'second@example.org']
    const mailer = (more: object) => {
      const mail = mailPart.parse({
        host: '127.0.0.1',
        port: smtp.port,
        tls: 'none',
        from: 'starling@example.org',
        user: 'starling',
        ...more,
      })
      return makeSinks({ ops: { kind: 'mail', to } }, mail).get('ops')
    }
    const { signal } = new AbortController()
    const good = mailer({ passwordFile: secretFile(SECRET) })
    await good?.notify(notification(ZH), signal)
    await good?.notify(hostile(), signal)
    const [plain, bad] = await smtp.until(2)
    expect(plain).toMatchObject({ to, from: 'starling@example.org', user: 'starling' })
    expect(plain?.subject).toBe('[触发] 告警: 2 个节点出现 DiskAlmostFull (prod-a)')
    expect(plain?.text).toContain('worker-2: DiskAlmostFull on worker-2')
    expect(plain?.text).toContain('开始时间: 2026-11-22 18:00 +08:00')
    expect(JSON.stringify(bad?.to)).not.toContain('all@example.org')
    expect(bad?.text).not.toContain('\u001b')
    smtp.refuseNext(451, 550)
    await expect(good?.notify(notification(), signal)).rejects.toMatchObject({ isFinal: false })
    await expect(good?.notify(notification(), signal)).rejects.toMatchObject({ isFinal: true })
    const wrong = mailer({ passwordFile: secretFile('wrong-password') })?.notify(notification(), signal)
    await expect(wrong).rejects.toMatchObject({
      isFinal: false,
      message: expect.not.stringContaining('wrong-password'),
    })
    // It does not offer it, so that nothing is said in the clear.
    await expect(
      mailer({ tls: 'starttls', passwordFile: secretFile(SECRET) })?.notify(notification(), signal),
    ).rejects.toThrow(/STARTTLS/i)
    await smtp.stop()
    await expect(good?.notify(notification(), signal)).rejects.toMatchObject({ isFinal: false })
  })
})

const needsOpenssl = spawnSync('openssl', ['version']).status === 0 ? undefined : 'openssl'

describeReal('mail over TLS', needsOpenssl, () => {
  let authority: CertificateAuthority
  let other: CertificateAuthority
  beforeAll(async () => {
    authority = await CertificateAuthority.create(join(dir, 'pki'))
    other = await CertificateAuthority.create(join(dir, 'other'))
  })

  /** Mails a notification to a server of that kind. What came of it, and what of the server's came to be said in the clear. */
  const mailTo = async (addresses: readonly string[], fromFirstByte: boolean, more: object) => {
    const { certFile, keyFile } = await authority.issue({ name: `mail-${addresses[0]}`, addresses })
    const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile), fromFirstByte }
    const smtp = await SmtpReceiver.start({ tls, login: { user: 'starling', password: SECRET } })
    const from = 'starling@example.org'
    const login = { user: 'starling', passwordFile: secretFile(SECRET) }
    const mail = mailPart.parse({ host: '127.0.0.1', port: smtp.port, from, ...login, ...more })
    const sink = makeSinks({ ops: { kind: 'mail', to: ['ops@example.org'] } }, mail).get('ops')
    const problem = await sink?.notify(notification(), new AbortController().signal).then(
      () => null,
      (error: Error) => error.message,
    )
    await smtp.stop()
    return { problem, mails: smtp.mails.map(({ isEncrypted, user }) => ({ isEncrypted, user })) }
  }
  const HERE = ['127.0.0.1']

  it.each([
    ['tls', true],
    ['starttls', false],
  ] as const)('by %s arrives where the authority is ours, and nowhere else', async (tls, fromFirstByte) => {
    const ca = authority.certFile
    const arrived = { problem: null, mails: [{ isEncrypted: true, user: 'starling' }] }
    expect(await mailTo(HERE, fromFirstByte, { tls, ca })).toEqual(arrived)
    const unknown = {
      problem: expect.stringMatching(
        /127\.0\.0\.1:\d+: its certificate is of no authority .+ name the file .+ as ca of mail$/,
      ),
      mails: [],
    }
    expect(await mailTo(HERE, fromFirstByte, { tls })).toEqual(unknown)
    expect(await mailTo(HERE, fromFirstByte, { tls, ca: other.certFile })).toEqual(unknown)
    expect(await mailTo(['127.0.0.2'], fromFirstByte, { tls, ca })).toEqual({
      problem: expect.stringContaining("is not in the cert's list"),
      mails: [],
    })
    expect(await mailTo(HERE, fromFirstByte, { tls, ca: '/no/such/ca' })).toEqual({
      problem: '/no/such/ca, the ca of mail, cannot be read (ENOENT)',
      mails: [],
    })
  })

  it('is not sent in the clear to a server that begins in the clear', async () => {
    const { problem, mails } = await mailTo(HERE, false, { tls: 'tls', ca: authority.certFile })
    expect([problem, mails]).toEqual([expect.stringContaining('it does not begin with TLS: write tls: starttls'), []])
  })
})

it.each([
  [{ kind: 'slack' }, 'give one of url, urlFile and urlEnv'],
  [{ kind: 'slack', url: 'http://x', urlFile: '/x' }, 'give one of'],
  [{ kind: 'pagerduty' }, 'give one of keyFile and keyEnv'],
  [{ kind: 'mail', to: ['a@example.org\r\nBcc: b@example.org'] }, 'must be an address'],
  [{ kind: 'webhook', url: 'file:///etc/passwd' }, 'url'],
  [{ kind: 'carrier-pigeon' }, 'kind'],
  [{ kind: 'webhook', url: 'http://x', token: SECRET }, 'token'],
])('the configuration %j is refused', (config, message) => {
  const { success, error } = sinksPart.safeParse({ ops: config })
  expect([success, JSON.stringify(error?.issues)]).toEqual([false, expect.stringContaining(message)])
})
