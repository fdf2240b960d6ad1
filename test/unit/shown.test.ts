/** What the bench of a control plane makes of its samples. */
import { expect, test } from 'vitest'
import { firstAtMs, isComplete, isMarked, isServed, isUnserved, type Shown, secondsOut } from '../../bench/k8s/shown.ts'

const WORKLOAD = { pods: 30, served: 10 }
const whole: Shown = { atMs: 0, ready: 'True KubeletReady', inEndpoints: 10, inSlices: 10, readyPods: 30 }

test('a node is out of endpoints, or back in them, when Endpoints and EndpointSlices say so', () => {
  expect(isUnserved({ ...whole, inEndpoints: 0, inSlices: 0 })).toBe(true)
  for (const part of [{ inEndpoints: 0 }, { inSlices: 0 }]) {
    expect(isUnserved({ ...whole, ...part })).toBe(false)
    expect(isServed({ ...whole, ...part }, WORKLOAD)).toBe(false)
  }
  expect(isServed(whole, WORKLOAD)).toBe(true)
})

test('a NotReady of another writer is not our mark', () => {
  expect(isMarked({ ...whole, ready: 'False StarlingNodeDown' })).toBe(true)
  for (const ready of ['False KubeletNotReady', 'Unknown NodeStatusUnknown', whole.ready])
    expect(isMarked({ ...whole, ready })).toBe(false)
})

test('a node is complete with its Ready, its pods and its endpoints', () => {
  expect(isComplete(whole, WORKLOAD)).toBe(true)
  for (const part of [{ ready: 'False KubeletNotReady' }, { readyPods: 29 }, { inSlices: 9 }])
    expect(isComplete({ ...whole, ...part }, WORKLOAD)).toBe(false)
})

test('the price of an outage counts each pod for as long as either kind of endpoint lacks it', () => {
  const samples = [
    whole,
    { ...whole, atMs: 2_000, inSlices: 4 },
    { ...whole, atMs: 3_000, inEndpoints: 0, inSlices: 4 },
    { ...whole, atMs: 3_500 },
  ]
  expect(secondsOut(samples, WORKLOAD)).toBe(6 + 5)
  expect(firstAtMs(samples, ({ inEndpoints }) => inEndpoints === 0)).toBe(3_000)
  expect(firstAtMs(samples, isUnserved)).toBeUndefined()
})
