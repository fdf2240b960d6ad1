/** What an observer makes of the answers of a host: which sign counts, on which path silence does, and since when. */
import { describe, expect, test } from 'vitest'
import { type HostAnswer, type PortResult, SecondChannel } from '../../mesh/core/channel.ts'
import type { ChannelResult } from '../../mesh/core/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'

const { calibratedForMs } = DEFAULT_TIMING

const answer = (agent: PortResult, kubelet: PortResult = agent, control = true): HostAnswer => {
  return { ports: { agent, kubelet }, control }
}

/** Both ports answered at 0 while the subject was well. */
function calibrated(): SecondChannel {
  const channel = new SecondChannel(DEFAULT_TIMING)
  channel.heard(0, 0, answer('userland'), true)
  return channel
}

/** What it makes of an answer that comes at `ms`, asked a moment before. */
function judged(channel: SecondChannel, ms: number, given: HostAnswer): ChannelResult | undefined {
  channel.heard(ms, ms - 10, given, false)
  return channel.resultSince(ms - 10)
}

/** The surest sign of life first: two ports that differ are judged by the one that is farther in front. */
const BY_WEIGHT: readonly PortResult[] = ['userland', 'refused', 'lossy', 'mute', 'nothing']

describe('of two ports that do not agree', () => {
  const pairs = BY_WEIGHT.flatMap((first, index) => BY_WEIGHT.slice(index).map((second) => ({ first, second })))

  test.each(pairs)('$first outranks $second, whichever port it is', ({ first, second }) => {
    expect(judged(calibrated(), 1_000, answer(first, second))).toBe(first)
    expect(judged(calibrated(), 1_000, answer(second, first))).toBe(first)
  })
})

describe('silence', () => {
  test('counts on a path that answered within 5 min, and is unknown later', () => {
    expect(judged(calibrated(), calibratedForMs, answer('nothing'))).toBe('nothing')
    expect(judged(calibrated(), calibratedForMs + 1, answer('nothing'))).toBe('unknown')
  })

  test('counts for nothing where no control could be reached: then the fault may be here', () => {
    const channel = calibrated()
    expect(judged(channel, 1_000, answer('nothing', 'nothing', false))).toBe('unknown')
    expect(channel.controlFailed).toBe(true)
    expect(judged(channel, 2_000, answer('nothing'))).toBe('nothing')
    expect(channel.controlFailed).toBe(false)
  })

  test.each(BY_WEIGHT.slice(0, 4))(
    'is not what a host has that is %s, and no control is needed to see it',
    (result) => {
      const channel = calibrated()
      expect(judged(channel, 1_000, answer(result, 'nothing', false))).toBe(result)
      expect(channel.controlFailed).toBe(false)
    },
  )

  test('of one port while the subject is well takes the calibration of that port alone', () => {
    const channel = calibrated()
    channel.heard(1_000, 990, answer('nothing', 'userland'), true)
    expect(channel.isCalibrated(1_000)).toBe(true)
    channel.heard(2_000, 1_990, answer('userland', 'nothing'), true)
    expect(channel.isCalibrated(2_000)).toBe(true)
    channel.heard(3_000, 2_990, answer('nothing', 'nothing'), true)
    expect(channel.isCalibrated(3_000)).toBe(false)
  })

  test.each(['lossy', 'mute', 'refused'] as const)('is not made provable by a port that is %s', (result) => {
    const channel = new SecondChannel(DEFAULT_TIMING)
    channel.heard(0, 0, answer(result), true)
    expect(channel.isCalibrated(0)).toBe(false)
  })
})

test('what was asked for before a doubt does not settle it', () => {
  const channel = calibrated()
  channel.heard(2_000, 900, answer('mute'), false)
  expect(channel.resultSince(901)).toBeUndefined()
  expect(channel.resultSince(900)).toBe('mute')
  expect(channel.heardAt).toBe(2_000)
})

test.each(BY_WEIGHT.slice(0, 4))('a connect that ends %s has got through, on either port', (result) => {
  for (const given of [answer(result, 'nothing'), answer('nothing', result)]) {
    const channel = calibrated()
    channel.heard(5_000, 4_000, given, false)
    expect(channel.gotThroughAt).toBe(5_000)
    channel.heard(6_000, 5_500, answer('nothing'), false)
    expect(channel.gotThroughAt).toBe(5_000)
  }
})

test('a host answers, or says nothing, since the first of an unbroken row', () => {
  const channel = calibrated()
  expect([channel.answeringSince, channel.nothingSince]).toEqual([0, undefined])
  channel.heard(1_000, 900, answer('refused'), false)
  expect([channel.answeringSince, channel.nothingSince]).toEqual([0, undefined])
  channel.heard(2_000, 1_900, answer('nothing'), false)
  channel.heard(3_000, 2_900, answer('nothing'), false)
  // From when it was asked: by then it had stopped.
  expect([channel.answeringSince, channel.nothingSince]).toEqual([undefined, 1_900])
  channel.heard(4_000, 3_900, answer('lossy'), false)
  expect([channel.answeringSince, channel.nothingSince]).toEqual([undefined, undefined])
})
