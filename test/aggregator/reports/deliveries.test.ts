/** Reports on their way: to places that are slow, refuse or hang, over a restart, and on a full disk. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Journal } from '../../../aggregator/model.ts'
import type { Target } from '../../../aggregator/reports/config.ts'
import { Deliveries, WAITING_MAX } from '../../../aggregator/reports/deliveries.ts'
import { type Delivery, deliver, RefusedError } from '../../../aggregator/reports/places.ts'
import { MailError } from '../../../aggregator/sinks/mailer.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import { fleetToday } from './fleet-1832.ts'

let journal: Journal

beforeEach(() => {
  journal = openJournal(':memory:')
})

afterEach(() => journal.close())

describe('deliveries', () => {
  const delivery = (n: number, to: Target = { mail: 'ops@example.org', language: 'en', zone: 'UTC' }): Delivery => ({
    id: `report/daily@x#${n}`,
    report: 'daily',
    kind: 'inspection',
    due: '2026-11-21T00:00:00.000Z',
    role: 'etcd',
    subject: 'subject',
    text: 'text',
    html: '<p>html</p>',
    to,
  })
  const patience = { firstMs: 1, longestMs: 5, giveUpMs: 60_000 }
  const lost = vi.fn()

  beforeEach(() => lost.mockClear())

  test('what is not taken is tried again, and one that is refused is told of and holds up no other', async () => {
    const tries: string[] = []
    const taken = vi.fn()
    const deliveries = new Deliveries({
      journal,
      lost,
      patience,
      log: silentLog,
      deliver: async ({ id }) => {
        tries.push(id)
        if (id.endsWith('#1')) throw new RefusedError('550 no such user')
        if (tries.filter((one) => one === id).length < 3) throw new Error('451 later')
        taken(id)
      },
    })
    deliveries.add(delivery(1))
    deliveries.add(delivery(2))
    await vi.waitFor(() => expect(taken).toHaveBeenCalledWith('report/daily@x#2'))
    expect(lost).toHaveBeenCalledExactlyOnceWith(delivery(1), '550 no such user')
    await vi.waitFor(() => expect(deliveries.waitingOf('daily')).toBe(0))
    await deliveries.stop()
  })

  test('on a full disk each goes out once, and what became of it is told when there is room again', async () => {
    const { writeFact } = journal
    const added = Promise.withResolvers<void>()
    const deliver = vi.fn(async ({ id }: Delivery) => {
      await added.promise
      journal.writeFact = () => {
        throw new Error('database or disk is full')
      }
      if (id.endsWith('#1')) throw new RefusedError('550 no such user')
    })
    const error = vi.fn()
    const deliveries = new Deliveries({ journal, lost, patience, log: { ...silentLog, error }, deliver })
    deliveries.add(delivery(1))
    deliveries.add(delivery(2))
    added.resolve()
    await vi.waitFor(() => expect(deliver).toHaveBeenCalledTimes(2))
    await vi.waitFor(() => expect(error).toHaveBeenCalled())
    expect(deliveries.waitingOf('daily')).toBe(2)
    journal.writeFact = writeFact
    await vi.waitFor(() => expect(deliveries.waitingOf('daily')).toBe(0))
    expect(deliver).toHaveBeenCalledTimes(2)
    expect(lost).toHaveBeenCalledWith(delivery(1), '550 no such user')
    await deliveries.stop()
  })

  test('what waits is bounded, and goes on after a restart', async () => {
    const hangs = new Deliveries({
      journal,
      lost,
      patience,
      log: silentLog,
      deliver: (_, stop) =>
        new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Error('stopped')))),
    })
    for (let n = 0; n <= WAITING_MAX; n++) hangs.add(delivery(n))
    expect(lost).toHaveBeenCalledExactlyOnceWith(delivery(WAITING_MAX), `${WAITING_MAX} wait already`)
    await hangs.stop()
    const ids = new Set<string>()
    const next = new Deliveries({
      journal,
      lost,
      patience,
      log: silentLog,
      deliver: async ({ id }) => void ids.add(id),
    })
    next.start()
    await vi.waitFor(() => expect(next.waitingOf('daily')).toBe(0))
    expect(ids.size).toBe(WAITING_MAX)
    await next.stop()
    expect([...journal.facts('report-outbox/').values()].filter((kept) => kept !== '')).toEqual([])
  })

  test('a place that hangs keeps none of another kind waiting', async () => {
    const done = vi.fn()
    const deliveries = new Deliveries({
      journal,
      lost,
      patience,
      log: silentLog,
      deliver: async ({ to }, stop) => {
        if ('webhook' in to) done()
        else await new Promise((_, reject) => stop.addEventListener('abort', () => reject(new Error('stopped'))))
      },
    })
    deliveries.add(delivery(1))
    deliveries.add(delivery(2, { webhook: 'https://example.org', language: 'en', zone: 'UTC' }))
    await vi.waitFor(() => expect(done).toHaveBeenCalled())
    await deliveries.stop()
  })

  test('without a mail server, and where it refuses for good, a mail is lost', async () => {
    const { signal } = new AbortController()
    await expect(deliver(delivery(1), undefined, signal)).rejects.toThrow(RefusedError)
    const refuses = { send: async () => Promise.reject(new MailError('550 no', true)) }
    await expect(deliver(delivery(1), refuses, signal)).rejects.toThrow(RefusedError)
    const later = { send: async () => Promise.reject(new MailError('451 later', false)) }
    await expect(deliver(delivery(1), later, signal)).rejects.not.toThrow(RefusedError)
  })

  test('a folder keeps the last runs of a report and what is not its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'starling-reports-'))
    try {
      const to: Target = { file: join(folder, 'new'), keep: 2, language: 'en', zone: 'UTC' }
      const { signal } = new AbortController()
      for (const day of [20, 21, 22]) {
        const due = `2026-11-${day}T00:00:00.000Z`
        await deliver({ ...delivery(1, to), due, role: '../../etc' }, undefined, signal)
        await deliver({ ...delivery(1, to), due, report: 'daily-2', role: '' }, undefined, signal)
      }
      expect((await readdir(to.file)).filter((file) => file.endsWith('.html')).toSorted()).toEqual([
        'daily-2-20261121T0000Z.html',
        'daily-2-20261122T0000Z.html',
        'daily-20261121T0000Z-______etc.html',
        'daily-20261122T0000Z-______etc.html',
      ])
      expect(await readFile(join(to.file, 'daily-20261122T0000Z-______etc.txt'), 'utf8')).toBe('text')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('a webhook gets it in JSON, and its address is told to nobody', async () => {
    const bodies: unknown[] = []
    let status = 200
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
        response.writeHead(status).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = server.address() as AddressInfo
      const to: Target = { webhook: `http://127.0.0.1:${port}/token-4711`, language: 'en', zone: 'UTC' }
      const { signal } = new AbortController()
      const source = { inspection: fleetToday() }
      await deliver({ ...delivery(1, to), source }, undefined, signal)
      expect(bodies).toMatchObject([{ version: '1', report: 'daily', role: 'etcd', inspection: { mesh: 'prod-a' } }])
      status = 503
      await expect(deliver(delivery(1, to), undefined, signal)).rejects.toThrow(/^http:\/\/127.0.0.1:\d+ answers 503$/)
      status = 404
      await expect(deliver(delivery(1, to), undefined, signal)).rejects.toThrow(RefusedError)
      status = 302
      await expect(deliver(delivery(1, to), undefined, signal)).rejects.not.toThrow('token-4711')
    } finally {
      server.close()
    }
  })
})
