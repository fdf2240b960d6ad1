import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contested, UNDONE_WITHIN_MS, type VerifiedFix } from '../../remediators/contested.ts'
import type { Plan } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { sysctl } from '../../remediators/sysctl.ts'
import { at, differs } from './parts.ts'

const HOUR = UNDONE_WITHIN_MS

function planFor(key = 'net.core.somaxconn', before = '128', after = '4096'): Plan {
  const changes = [{ what: key, before, after, undo: `sysctl -w ${key}=${before}` }]
  return makePlan(sysctl, differs(key, before, after), changes, at(0).wall)
}
const plan = planFor()
/** Verified a second after its fault was seen. */
const mended = (verifiedMs: number, of = plan): VerifiedFix => ({
  planId: of.id,
  faultSinceMs: verifiedMs - 1_000,
  verifiedMs,
})

describe('a value that somebody else sets back', () => {
  it.each([
    ['never mended before', [], 0, false],
    ['mended once, and back at once', [mended(0)], 1, false],
    ['mended twice, and back each time', [mended(0), mended(1_000_000)], 1_000_001, true],
    ['the second time just within the hour', [mended(0), mended(1_000_000)], 1_000_000 + HOUR, true],
    ['the second time after it', [mended(0), mended(1_000_000)], 1_000_001 + HOUR, false],
    ['the first time after it', [mended(0), mended(HOUR + 1_001)], HOUR + 2_000, false],
    ['the first time just within it', [mended(0), mended(HOUR + 1_000)], HOUR + 2_000, true],
    ['long ago, and lately', [mended(0), mended(1_000), mended(9 * HOUR)], 9 * HOUR + 1, false],
    ['in another order', [mended(1_000_000), mended(0)], 1_000_001, true],
    ['another value', [mended(0, planFor('vm.swappiness')), mended(1_000_000)], 1_000_001, false],
    [
      'to another value than before',
      [mended(0, planFor('net.core.somaxconn', '256')), mended(1_000_000)],
      1_000_001,
      false,
    ],
  ])('is contested: %s', (_, verified, faultSinceMs, expected) => {
    expect(contested(verified, plan, faultSinceMs) !== null).toBe(expected)
  })

  it('counts from when the fault came back, however long the fix waited for a person', () => {
    const late: VerifiedFix = { planId: plan.id, faultSinceMs: 60_000, verifiedMs: 5 * HOUR }
    expect(contested([mended(0), late], plan, 5 * HOUR + 1)).not.toBeNull()
  })

  it('is said with the value, and with whom to look for', () => {
    const verified = [mended(0), mended(1_000)]
    expect(contested(verified, plan, 2_000)).toBe(
      'contested: twice within an hour after it was mended something else has set back net.core.somaxconn to 128; it is left alone, look for tuned, a configuration manager, or a unit that runs at intervals',
    )
    const ofProxy = planFor('net.netfilter.nf_conntrack_max', '131072', '262144')
    expect(contested([mended(0, ofProxy), mended(1_000, ofProxy)], ofProxy, 2_000)).toContain(
      'look for kube-proxy (conntrack.maxPerCore and conntrack.min',
    )
  })

  it('is left alone for as long as it lasts, and never after fewer than two fixes', () => {
    const times = fc.array(fc.integer({ min: 0, max: 5 * HOUR }), { maxLength: 6 })
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 5 * HOUR }), (verifiedAt, since) => {
        const verified = verifiedAt.map((ms) => mended(ms))
        const verdict = contested(verified, plan, since)
        if (verified.length < 2) expect(verdict).toBeNull()
        if (verdict !== null)
          expect(verified.filter(({ verifiedMs }) => since - verifiedMs <= HOUR).length).toBeGreaterThan(0)
        expect(contested(verified.toReversed(), plan, since)).toBe(verdict)
      }),
    )
  })
})
