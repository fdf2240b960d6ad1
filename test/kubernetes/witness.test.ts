/** What a Lease proves, told by versions alone. */
import { beforeEach, expect, test } from 'vitest'
import { Witness } from '../../aggregator/kubernetes/witness.ts'
import { createFakeCluster, type FakeCluster } from './fake-cluster.ts'

let cluster: FakeCluster
let now: number
let firstSince: (ms: number) => string | undefined
let witness: Witness

beforeEach(() => {
  cluster = createFakeCluster()
  now = 100_000
  firstSince = () => undefined
  witness = new Witness(cluster, { firstSince: (ms) => firstSince(ms) }, () => now)
})

test("is held against the leader's own first renewal since the silence began", async () => {
  expect(await witness.hasRenewed('a', now - 2_000)).toBeUndefined()
  cluster.renew('a')
  const version = BigInt((await cluster.heartbeatOf('a'))?.metadata.resourceVersion ?? '')
  firstSince = (ms) => (ms === now - 2_000 ? String(version + 1n) : undefined)
  expect(await witness.hasRenewed('a', now - 2_000)).toBe(false)
  firstSince = () => String(version - 1n)
  expect(await witness.hasRenewed('b', now - 2_000)).toBeUndefined()
  expect(await witness.hasRenewed('a', now - 2_000)).toBe(true)
})

test('without an election, by what was read before in the same silence', async () => {
  cluster.renew('a')
  const since = now - 2_000
  expect(await witness.hasRenewed('a', since)).toBeUndefined()
  now += 14_000
  expect(await witness.hasRenewed('a', since)).toBeUndefined()
  now += 1_000
  expect(await witness.hasRenewed('a', since)).toBe(false)
  cluster.renew('a')
  expect(await witness.hasRenewed('a', since)).toBe(true)
  // Another silence: what was read before it proves nothing in it.
  now += 60_000
  expect(await witness.hasRenewed('a', now - 2_000)).toBeUndefined()
})

test('a Lease has lapsed when it was not renewed for one and a half renewals, by versions alone', async () => {
  const leads = now
  expect(await witness.hasLapsed('a', leads)).toBeUndefined()
  cluster.renew('a')
  const version = BigInt((await cluster.heartbeatOf('a'))?.metadata.resourceVersion ?? '')
  firstSince = (ms) => (ms === now - 15_000 ? String(version) : undefined)
  now += 14_999
  expect(await witness.hasLapsed('a', leads)).toBeUndefined()
  now += 1
  expect(await witness.hasLapsed('a', leads)).toBe(true)
  cluster.renew('a')
  expect(await witness.hasLapsed('a', leads)).toBe(false)
  // One that is renewed more rarely may be silent for longer.
  cluster.renew('b', 80)
  expect(await witness.hasLapsed('b', leads)).toBeUndefined()
  now += 15_000
  firstSince = (ms) => (ms === now - 30_000 ? '1000' : undefined)
  expect(await witness.hasLapsed('b', leads)).toBe(true)
})

test('versions are numbers, however long', async () => {
  cluster.renew('a')
  firstSince = () => '99'
  expect(await witness.hasRenewed('a', now)).toBe(true)
  firstSince = () => '100000000000000000000000'
  expect(await witness.hasRenewed('a', now)).toBe(false)
})
