/** Two aggregators, each with a disk of its own: what one has told is safe with the other, and with the nodes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Event, Snapshot, StoredEvent } from '../../aggregator/model.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS, waitFor } from './starling.ts'
import { type OneAggregator, TwoAggregators } from './two-aggregators.ts'

const NODES = 2
const TEST_WITHIN_MS = 3 * DEADLINE_MS

/** With a value that no machine has, a finding begins at every node; without it, that ends. */
const ODD = 'detectors: {kernel-params: {every: 5s, options: {wanted: {net.core.somaxconn: 4097}}}}'
const settings = (version: number, more = '') =>
  `version: ${version}\nmesh: local\nremediators: {sysctl: {mode: suggest}}\nrollout: {stages: [100%], soak: 0s}\n${more}\n`

interface Decided {
  readonly event: Event
  readonly singleCopy?: true
}

describe('two aggregators', () => {
  let mesh: TwoAggregators
  beforeAll(async () => {
    mesh = await TwoAggregators.start(NODES, settings(1, ODD))
  }, TURN_WITHIN_MS)
  afterAll(async () => await mesh.stop(), TURN_WITHIN_MS)

  const until = <T>(what: string, look: () => T | Promise<T>) =>
    waitFor(what, look, () => `${mesh.first.log.slice(-3_000)}\n\n${mesh.second.log.slice(-3_000)}`)
  const untilLeads = (one: OneAggregator) =>
    until(`${one.name} leads`, async () => (await one.get<Snapshot>('/api/v1/state')).office.role === 'leads')
  const pause = (one: OneAggregator, node: string, reason: string) =>
    one.post<Decided>('/api/v1/remediations/pauses', { scope: { kind: 'node', name: node }, for: '1h', reason })
  const idsOf = async (one: OneAggregator) => new Set((await one.events()).map(({ id }) => id))
  const hasAll = (one: OneAggregator, ids: readonly string[]) =>
    until(`${one.name} has all`, async () => {
      const known = await idsOf(one)
      return ids.every((id) => known.has(id))
    })
  /** What the second one itself told of copies. */
  const alarms = async (kind: 'single-copy' | 'copied') =>
    (await mesh.second.events(`&kind=${kind}`)).filter(({ data }) => String(data.others) === 'aggregator-1').length
  /** Of the odd value, beginnings and ends. */
  const findings = async (one: OneAggregator) =>
    (await one.events('&kind=finding')).filter(({ data }) => data.detector === 'kernel-params')
  const nodesOf = (events: readonly StoredEvent[]) => new Set(events.map(({ node }) => node)).size
  const isEnd = ({ id }: StoredEvent) => id.endsWith('/cleared')
  const decided: string[] = []

  it(
    'lose nothing that was acknowledged, when one is killed and its disk is gone',
    async () => {
      for (const one of [mesh.first, mesh.second]) await untilLeads(one)
      await until('copies', async () => {
        const { copies } = await mesh.first.get<Snapshot>('/api/v1/state')
        return copies?.others[0] === 'aggregator-2' && copies.behind === 0
      })
      // On a busy machine a copy can take longer than a second: then the answer says so, and promises nothing.
      await until('acknowledged decisions', async () => {
        const { event, singleCopy } = await pause(mesh.first, 'node-1', `reason ${decided.length}`)
        if (singleCopy === undefined) decided.push(event.id)
        return decided.length >= 3
      })
      await mesh.first.lose()
      expect([...(await idsOf(mesh.second))]).toEqual(expect.arrayContaining(decided))
    },
    TEST_WITHIN_MS,
  )

  it(
    'say when there is one copy alone, and a new one is given everything from the beginning',
    async () => {
      const answer = await pause(mesh.second, 'node-1', 'alone')
      expect(answer.singleCopy).toBe(true)
      await until('the alarm', async () => {
        const { copies } = await mesh.second.get<Snapshot>('/api/v1/state')
        return (
          copies?.isSingle === true && copies.behind > 0 && (await alarms('single-copy')) > (await alarms('copied'))
        )
      })
      mesh.first.start()
      await untilLeads(mesh.first)
      const before = (await mesh.second.events()).map(({ id }) => id)
      expect(before).toEqual(expect.arrayContaining([...decided, answer.event.id]))
      await hasAll(mesh.first, before)
      await until('no event without a copy', async () => {
        return (await mesh.second.get<Snapshot>('/api/v1/state')).copies?.behind === 0
      })
    },
    TEST_WITHIN_MS,
  )

  it(
    'get back from the nodes what both have lost',
    async () => {
      // One alone from here on: without an election two that lead for long suspect each other's members.
      await Promise.all([mesh.first.lose(), mesh.second.lose()])
      mesh.first.start()
      await until('findings', async () => nodesOf(await findings(mesh.first)) === NODES)
      writeFileSync(join(mesh.dir, 'settings.yaml'), settings(2))
      const before = await until('their ends', async () => {
        const all = await findings(mesh.first)
        const ended = new Set(all.filter(isEnd).map(({ causedBy }) => causedBy))
        return nodesOf(all) === NODES && all.every((one) => isEnd(one) || ended.has(one.id)) && all
      })
      await mesh.first.lose()
      mesh.first.start()
      const after = await until('what was lost', async () => {
        const found = await findings(mesh.first)
        return found.length === before.length && found
      })
      const told = ({ id, summary, causedBy, data, node }: StoredEvent) => ({ id, summary, causedBy, data, node })
      expect(after.map(told).toSorted(byId)).toEqual(before.map(told).toSorted(byId))
      // What ended is told after what it was the end of, at the time that its node said so.
      for (const event of after.filter(isEnd)) {
        expect(after.find(({ id }) => id === event.causedBy)?.seq).toBeLessThan(event.seq)
        expect(Date.parse(event.at)).toBeLessThanOrEqual(Date.parse(before.find(({ id }) => id === event.id)?.at ?? ''))
      }
    },
    TEST_WITHIN_MS,
  )
})

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : 1
}
