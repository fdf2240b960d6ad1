/** What every History must do, whatever database is behind it. An adapter's test calls this with how to open one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Trail } from '../../aggregator/audit/trail.ts'
import { checkTrail } from '../../aggregator/audit/walk.ts'
import type { History } from '../../aggregator/history/history.ts'
import type { HourOfMeasures } from '../../inspection/measures.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { MESH, signerOf } from './audit/tampered.ts'
import { event } from './event.ts'

export interface HistoryUnderTest {
  /** Opens the same storage each time it is called within one test. */
  open(): Promise<{ readonly history: History; readonly trail: Trail }>
  /** Closes it all, and deletes the storage. */
  clean(): Promise<void>
}

const DAY_MS = 86_400_000
const NOW = '2026-06-01T12:00:00.000Z'
const KEEP_ALL = { events: 0, measures: 0, inspections: 0 }
const daysAgo = (days: number) => new Date(Date.parse(NOW) - days * DAY_MS).toISOString()
const signer = await signerOf('aggregator-1')

export function historyConformance(
  name: string,
  prepare: () => Promise<{ create(): HistoryUnderTest; end(): Promise<void> }>,
): void {
  describe(`${name} keeps the History's contract`, () => {
    let made: Awaited<ReturnType<typeof prepare>>
    let storage: HistoryUnderTest
    let history: History
    let trail: Trail
    beforeAll(async () => {
      made = await prepare()
    }, 120_000)
    afterAll(() => made?.end())
    beforeEach(async () => {
      storage = made.create()
      ;({ history, trail } = await storage.open())
    })
    afterEach(async () => {
      await history.close()
      await storage.clean()
    })

    const check = () => checkTrail(trail, { mesh: MESH, signers: new Set([signer.peerId]) })
    const ids = async (query: Partial<Parameters<History['query']>[0]>) => {
      return (await history.query({ limit: 1_000, ...query })).map(({ id }) => id)
    }

    it('appends in order, gives places that grow, and ignores ids that are there, also twice in one call', async () => {
      const first = event('a', { data: { nested: { list: [1, 'zwei', null, true] } }, causedBy: 'root', tone: 'bad' })
      const stored = await history.append([first, event('b'), event('a', { summary: 'again' })])
      expect(stored.map(({ id }) => id)).toEqual(['a', 'b'])
      expect(stored[0]).toEqual({ ...first, seq: stored[0]?.seq })
      expect(stored[1]?.seq).toBeGreaterThan(stored[0]?.seq ?? Number.NaN)
      expect((await history.append([event('b', { summary: 'again' }), event('c')])).map(({ id }) => id)).toEqual(['c'])
      expect(await history.append([])).toEqual([])
      expect(await history.byId('a')).toEqual(stored[0])
      expect(await history.byId('nowhere')).toBeNull()
      expect(await ids({})).toEqual(['a', 'b', 'c'])
      expect(await check()).toMatchObject({ holds: true, checked: 3 })
    })

    it('keeps nothing of a call that fails, and goes on', async () => {
      await expect(history.append([event('a'), event('b', { data: { big: 1n } })])).rejects.toThrow('BigInt')
      expect(await ids({})).toEqual([])
      expect(await history.append([event('b')])).toHaveLength(1)
      expect(await check()).toMatchObject({ holds: true, checked: 1 })
    })

    it('returns text unharmed, hostile or not', async () => {
      const nasty = `'; DROP TABLE events; -- <script>alert(1)</script> \u202e 漢字 🐦 "quoted" =1+1 \u001b[31m\r\nBcc: x \u0000`
      await history.append([event(nasty, { summary: nasty, node: nasty, causedBy: nasty, data: { [nasty]: nasty } })])
      await history.append([event('half \ud800', { node: '\udc00', summary: '\ud800', data: { half: '\ud800' } })])
      const [found] = await history.query({ node: nasty, limit: 1 })
      expect(found).toMatchObject({ id: nasty, summary: nasty, node: nasty, causedBy: nasty, data: { [nasty]: nasty } })
      expect((await history.byId('half \ud800'))?.id).toBe('half \ufffd')
      expect(await history.append([event('half \ud800')])).toEqual([])
      expect(await check()).toMatchObject({ holds: true, checked: 2 })
    })

    it('answers a query with the newest that match, oldest first', async () => {
      const tones = ['bad', 'good', 'info', 'act'] as const
      const events = Array.from({ length: 600 }, (_, n) =>
        event(`e${n}`, {
          node: n % 2 === 0 ? 'even' : 'odd',
          kind: n % 3 === 0 ? 'verdict' : 'finding',
          tone: tones[n % 4] ?? 'info',
          at: new Date(Date.parse(NOW) + n * 1_000).toISOString(),
        }),
      )
      const stored = await history.append(events)
      const seq = (n: number) => stored[n]?.seq ?? Number.NaN
      const at = (n: number) => events[n]?.at ?? ''
      expect(await ids({ limit: 2 })).toEqual(['e598', 'e599'])
      expect(await ids({ limit: 2, before: seq(6) })).toEqual(['e4', 'e5'])
      expect(await ids({ after: seq(597) })).toEqual(['e598', 'e599'])
      expect(await ids({ limit: 2, node: 'even' })).toEqual(['e596', 'e598'])
      expect(await ids({ limit: 3, kinds: ['verdict'] })).toEqual(['e591', 'e594', 'e597'])
      expect(await ids({ limit: 3, kinds: ['verdict', 'finding'] })).toEqual(['e597', 'e598', 'e599'])
      expect(await ids({ limit: 2, kinds: ['verdict'], node: 'odd', before: seq(500) })).toEqual(['e489', 'e495'])
      expect(await ids({ limit: 2, tones: ['act'] })).toEqual(['e595', 'e599'])
      expect(await ids({ limit: 2, tones: ['act', 'bad'], kinds: ['finding'] })).toEqual(['e596', 'e599'])
      expect(await ids({ limit: 3, tones: ['act', 'good'], before: seq(599) })).toEqual(['e593', 'e595', 'e597'])
      expect(await ids({ tones: ['act', 'bad'], from: at(300), until: at(305) })).toEqual(['e300', 'e303', 'e304'])
      expect(await ids({ from: at(300), until: at(303) })).toEqual(['e300', 'e301', 'e302'])
      expect(await ids({ from: at(300), until: at(306), kinds: ['verdict'], node: 'odd' })).toEqual(['e303'])
      expect(await ids({ from: at(598) })).toEqual(['e598', 'e599'])
      expect(await ids({ until: at(2) })).toEqual(['e0', 'e1'])
      expect(await ids({ from: '2030-01-01T00:00:00Z' })).toEqual([])
      expect(await ids({ until: '2020-01-01T00:00:00Z' })).toEqual([])
      for (const none of [{ kinds: [] }, { tones: [] }, { node: 'nobody' }, { kinds: ['blind' as const] }]) {
        expect(await ids(none)).toEqual([])
      }
    })

    it.each([0, 1001, 1.5, Number.NaN])('refuses a limit of %s', async (limit) => {
      await expect(history.query({ limit })).rejects.toThrow(RangeError)
    })

    it('finds events by their times, though they came late', async () => {
      const came = [5, 1, 3, 2, 4].map((n) => event(`e${n}`, { at: `2026-01-02T03:04:0${n}.000Z` }))
      await history.append(came)
      expect(await ids({ from: '2026-01-02T03:04:02Z', until: '2026-01-02T03:04:04Z' })).toEqual(['e3', 'e2'])
    })

    it('counts the events of each day', async () => {
      await history.append([
        event('a', { at: '2026-01-02T00:00:00.000Z', kind: 'verdict', tone: 'bad' }),
        event('b', { at: '2026-01-02T23:59:59.999Z', kind: 'verdict', tone: 'bad' }),
        event('c', { at: '2026-01-03T00:00:00.000Z', kind: 'finding', tone: 'good' }),
      ])
      await history.append([event('a', { at: '2026-01-02T00:00:00.000Z', kind: 'verdict', tone: 'bad' })])
      expect(await history.eventsByDay('2026-01-02T00:00:00Z', '2026-01-04T00:00:00Z')).toEqual([
        { day: '2026-01-02', kind: 'verdict', tone: 'bad', events: 2 },
        { day: '2026-01-03', kind: 'finding', tone: 'good', events: 1 },
      ])
      expect(await history.eventsByDay('2026-01-03T00:00:00Z', '2026-01-03T00:00:00Z')).toEqual([])
    })

    const hour = (node: string, at: string, averages: HourOfMeasures['averages']): HourOfMeasures => {
      return { node, hour: new Date(at).toISOString(), averages }
    }

    it('keeps averages by hour, the later in the place of the earlier, and knows nought from nothing', async () => {
      const all = { from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' }
      await history.keepMeasures([
        hour('b', '2026-01-02T23:00Z', { cpu: 50, swap: 0 }),
        hour('a', '2026-01-03T00:00Z', { memory: 1.5 }),
        hour('a', '2026-01-02T05:00Z', { 'network-in': 2 ** 33 }),
        hour('a', '2026-01-02T06:00Z', {}),
      ])
      await history.keepMeasures([
        hour('a', '2026-01-02T05:00Z', { conntrack: 2 }),
        hour('b', '2026-01-02T22:00Z', { cpu: 1 }),
      ])
      expect(await history.measures(all)).toEqual([
        hour('a', '2026-01-02T05:00Z', { conntrack: 2 }),
        hour('a', '2026-01-03T00:00Z', { memory: 1.5 }),
        hour('b', '2026-01-02T22:00Z', { cpu: 1 }),
        hour('b', '2026-01-02T23:00Z', { cpu: 50, swap: 0 }),
      ])
      expect(await history.measures({ ...all, nodes: ['b', 'nobody'], from: '2026-01-02T23:00:00Z' })).toHaveLength(1)
      expect(await history.measures({ ...all, until: '2026-01-03T00:00:00Z' })).toHaveLength(3)
      expect(await history.measures({ ...all, nodes: [] })).toEqual([])
      expect(await history.dailyMeasures({ ...all, nodes: ['b'] })).toEqual([
        { node: 'b', day: '2026-01-02', averages: { cpu: 25.5, swap: 0 }, peaks: { cpu: 50, swap: 0 } },
      ])
    })

    const run = (id: string, startedAt: string, over: Partial<InspectionRun> = {}): InspectionRun => ({
      id,
      mesh: MESH,
      profile: 'default',
      origin: 'state',
      startedAt,
      finishedAt: startedAt,
      nodes: 1,
      sections: [{ role: 'etcd', nodes: 1, checks: [] }],
      troubles: [
        {
          node: '漢字',
          roles: ['etcd'],
          check: 'disk',
          column: 'error',
          reason: 'DiskAlmostFull',
          summary: "it's <full>",
        },
      ],
      silent: [{ node: 'b', roles: [], why: 'NodeDown' }],
      ...over,
    })

    it('keeps inspections, the newest first, and their details for whoever asks', async () => {
      const [first, second, third] = [
        run('one', daysAgo(3)),
        run('two', daysAgo(1), { profile: 'other' }),
        run('three', daysAgo(2)),
      ] as const
      for (const each of [first, second, third]) await history.keepInspection(each)
      await history.keepInspection(run('one', daysAgo(0), { nodes: 99 }))
      expect(await history.inspection('one')).toEqual(first)
      expect(await history.inspection('none')).toBeNull()
      const { troubles: _, silent: __, ...head } = second
      expect((await history.inspections(10)).map(({ id }) => id)).toEqual(['two', 'three', 'one'])
      expect((await history.inspections(2)).map(({ id }) => id)).toEqual(['two', 'three'])
      expect(await history.inspections(10, 'other')).toEqual([head])
    })

    it('lets go of what is old, and the chain can be checked still, from where it begins then', async () => {
      const old = Array.from({ length: 1_200 }, (_, n) => event(`old-${n}`, { at: daysAgo(91) }))
      await history.append(old)
      await history.append([event('new', { at: daysAgo(89), causedBy: 'old-1' }), event('late', { at: daysAgo(91) })])
      await history.keepMeasures([
        hour('a', '2025-01-01T00:00Z', { cpu: 1 }),
        hour('a', '2026-05-01T00:00Z', { cpu: 2 }),
      ])
      await history.keepInspection(run('old', daysAgo(401)))
      await history.keepInspection(run('new', daysAgo(399)))

      await history.retain(NOW, KEEP_ALL, signer)
      expect(await check()).toMatchObject({ holds: true, first: 1, checked: 1_202 })

      await history.retain(NOW, { events: 90, measures: 400, inspections: 400 }, signer)
      expect(await ids({})).toEqual(['new', 'late'])
      expect(await history.byId('old-7')).toBeNull()
      expect(await history.measures({ from: '2020-01-01T00:00:00Z', until: NOW })).toHaveLength(1)
      expect((await history.inspections(10)).map(({ id }) => id)).toEqual(['new'])
      expect(await history.eventsByDay(daysAgo(100), NOW)).not.toEqual([])
      expect(await check()).toMatchObject({ holds: true, first: 1_201, checked: 2, earlier: 0, unsigned: 0 })

      await history.append([event('next', { at: daysAgo(0) })])
      await history.retain(NOW, { ...KEEP_ALL, events: 90 }, signer)
      expect(await check()).toMatchObject({ holds: true, first: 1_201, checked: 3, unsigned: 1 })
      await history.retain(NOW, { ...KEEP_ALL, events: 1 }, signer)
      expect(await check()).toMatchObject({ holds: true, first: 1_203, checked: 1 })
      // The newest stays, however old.
      await history.retain('2030-01-01T00:00:00.000Z', { ...KEEP_ALL, events: 1 }, signer)
      expect(await ids({})).toEqual(['next'])
    })

    it('keeps nothing for ever because a clock was ahead for a while, and lets nothing go because it is behind', async () => {
      await history.append([
        event('old', { at: daysAgo(92) }),
        event('of the future', { at: daysAgo(-9_000) }),
        event('old, too', { at: daysAgo(91) }),
        event('new', { at: daysAgo(1) }),
      ])
      await history.retain('1990-01-01T00:00:00.000Z', { ...KEEP_ALL, events: 90 }, signer)
      expect(await ids({})).toHaveLength(4)
      await history.retain(NOW, { ...KEEP_ALL, events: 90 }, signer)
      expect(await ids({})).toEqual(['new'])
    })

    it('keeps events from a place on that it is told, however old', async () => {
      const old = Array.from({ length: 10 }, (_, n) => event(`old-${n}`, { at: daysAgo(91) }))
      const stored = await history.append(old)
      const retain = (eventsFrom: number) => history.retain(NOW, { ...KEEP_ALL, events: 90, eventsFrom }, signer)
      await retain(1)
      expect(await ids({})).toHaveLength(10)
      await retain(stored[7]?.seq ?? Number.NaN)
      expect(await ids({})).toEqual(['old-7', 'old-8', 'old-9'])
      expect(await check()).toMatchObject({ holds: true, checked: 3 })
      await retain(100)
      expect(await ids({})).toEqual(['old-9'])
    })

    it('has everything again after it was closed and opened', async () => {
      const stored = await history.append([event('a')])
      await history.keepMeasures([hour('a', '2026-01-02T05:00Z', { cpu: 1 })])
      await history.close()
      ;({ history, trail } = await storage.open())
      expect(await history.query({ limit: 10 })).toEqual(stored)
      expect(await history.measures({ from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' })).toHaveLength(1)
      expect((await history.append([event('b')]))[0]?.seq).toBeGreaterThan(stored[0]?.seq ?? Number.NaN)
      expect(await check()).toMatchObject({ holds: true, checked: 2 })
    })
  })
}
