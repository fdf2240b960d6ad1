/** Looks again and again until a look finds what it should: services take their time to start, to stop and to notice. */
import { expect, vi } from 'vitest'
import type { Judgement } from '../../detectors/contract.ts'
import type { RunResult } from '../../detectors/engine/track.ts'
import { found } from './inside.ts'

/** Of a whole test of services that may have to share two processors with a build. */
export const DEADLINE_MS = 120_000

/** `expected` as `found` says it, and each summary as `saying` says. Returns what was judged. */
export async function untilFound(
  look: () => Promise<RunResult>,
  expected: readonly string[],
  saying = /^/,
): Promise<readonly Judgement[]> {
  return vi.waitFor(
    async () => {
      const result = await look()
      expect(found(result)).toEqual(expected)
      const judgements = result.kind === 'judged' ? result.judgements : []
      for (const { summary } of judgements) expect(summary).toMatch(saying)
      return judgements
    },
    { timeout: 40_000, interval: 100 },
  )
}
