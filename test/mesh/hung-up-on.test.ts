/**
 * A subject whose kernel ended the stream, and what may be made of the silence of its ports then: it may take no connects
 * any more, with its connection table full, or behind a firewall that drops what nobody listens to.
 */
import { describe, expect, test } from 'vitest'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { type Host, SILENT, UP, Watched } from './watched.ts'

const { agentDownMs } = DEFAULT_TIMING
const AGENT_CRASHED: Host = { agent: 'refused', kubelet: 'userland' }
const ENDED_AT = 7_500

/** Well until half a beat after an ack, when its host becomes so and its kernel ends the stream. */
function hungUpOn(host: Host = SILENT): Watched {
  return new Watched().runUntil(ENDED_AT).becomes(host).hangsUp()
}

describe('an observer that was hung up on', () => {
  test('holds the silence of all ports for no silence: AgentDown in time, and never NodeDown', () => {
    const watched = hungUpOn().runUntil(60_000)
    expect(new Set(watched.opinions)).toEqual(new Set(['AgentDown']))
    expect(watched.accusations[0]?.[1]).toMatchObject({ channel: 'unknown' })
    expect(watched.accusations[0]?.[0]).toBeLessThanOrEqual(ENDED_AT + agentDownMs + 1_000)
  })

  test('does so though a co-observer was quicker, whose hint raised the doubt before the stream ended', () => {
    const watched = new Watched().runUntil(ENDED_AT).becomes(SILENT).hears('another').hangsUp().runUntil(60_000)
    expect(new Set(watched.opinions)).toEqual(new Set(['AgentDown']))
  })

  test('says NodeDown of the same silence where the stream did not end', () => {
    const watched = new Watched().runUntil(ENDED_AT).becomes(SILENT).runUntil(60_000)
    expect(watched.opinions[0]).toBe('NodeDown')
  })

  test('says NodeDown after all when a connect got through since, and then none does', () => {
    const watched = hungUpOn(AGENT_CRASHED).runUntil(20_000)
    expect(watched.opinions.at(-1)).toBe('AgentDown')
    watched.becomes(SILENT).runUntil(25_000)
    expect(watched.opinions.at(-1)).toBe('NodeDown')
  })

  test('says nothing while it cannot reach anybody else', () => {
    const watched = hungUpOn({ ...SILENT, control: false }).runUntil(60_000)
    expect(watched.opinions).toEqual([])
    expect(watched.watch.answer(watched.now, undefined)).toMatchObject({ reason: 'control connect failed' })
  })

  test('knows the next silence for what it is, once the subject has acked again', () => {
    const watched = hungUpOn().runUntil(12_000).becomes(UP).runUntil(30_500).becomes(SILENT).runUntil(40_000)
    expect(watched.opinions.at(-1)).toBe('NodeDown')
    expect(watched.watch.edge.wasHungUpOn).toBe(false)
  })

  test('does not call it down while it is on leave, however long it says nothing', () => {
    const watched = new Watched().runUntil(ENDED_AT).does((watch, now) => watch.leaves(watch.incarnation, now + 60_000))
    watched.becomes(SILENT).hangsUp()
    expect(watched.runFor(59_000).opinions).toEqual([])
  })
})
