import { expect, test } from 'vitest'
import type { RemediationPhase } from '../../../remediators/contract.ts'
import { attempts } from '../../../remediators/guards/attempts.ts'
import { ask, endedOf, HOUR_MS, NOW_MS } from './views.ts'

/** The fault was acted on this many hours ago. */
const actedOn = (...hours: number[]) => hours.map((ago) => endedOf({ atMs: NOW_MS - ago * HOUR_MS }))

test('a fault that was never acted on may be', () => {
  expect(ask(attempts)).toEqual({
    allowed: true,
    why: 'KubeletDown of node-1 was acted on 0 of 5 times within 24 h',
  })
})

test('up to the limit, and again when the oldest that counts is a day old', () => {
  expect(ask(attempts, { ended: actedOn(23, 5, 4, 3) })).toMatchObject({ allowed: true })
  expect(ask(attempts, { ended: actedOn(23, 5, 4, 3, 2) })).toEqual({
    allowed: false,
    why: 'KubeletDown of node-1 was acted on 5 of 5 times within 24 h: again in 1h',
    restMs: HOUR_MS,
  })
  expect(ask(attempts, { ended: actedOn(24, 5, 4, 3, 2) })).toMatchObject({ allowed: true })
  expect(ask(attempts, { ended: actedOn(23, 22, 5, 4, 3, 2) })).toMatchObject({ allowed: false, restMs: 2 * HOUR_MS })
})

test('settings say how often', () => {
  expect(ask(attempts, { ended: actedOn(2) }, { attempts: 1 })).toMatchObject({ allowed: false })
  expect(ask(attempts, { ended: actedOn(2) }, { attempts: 2 })).toMatchObject({ allowed: true })
})

test.each([
  ['verified', false],
  ['failed', false],
  ['reverted', false],
  ['revert-failed', false],
  ['refused', true],
  ['rejected', true],
  ['withdrawn', true],
] satisfies [RemediationPhase, boolean][])('one that ended %s: %s', (phase, allowed) => {
  expect(ask(attempts, { ended: [endedOf({ phase })] }, { attempts: 1 })).toMatchObject({ allowed })
})

test.each([
  ['another remediator of the same fault counts', { remediator: 'collect-diagnostics' }, false],
  ['another cause does not', { cause: '/var' }, true],
  ['another reason does not', { reason: 'RuntimeDown' }, true],
  ['another node does not', { node: 'node-2' }, true],
])('%s', (_, parts, allowed) => {
  expect(ask(attempts, { ended: [endedOf(parts)] }, { attempts: 1 })).toMatchObject({ allowed })
})
