/** Looks again and again until a look finds what it should: services take their time to start, to stop and to notice. */
import { expect, vi } from 'vitest'
import type { RunResult } from '../../detectors/engine/track.ts'
import { found } from './inside.ts'

type Judged = Extract<RunResult, { readonly kind: 'judged' }>

/** `expected` as `found` says it, and each summary as `saying` says. */
export async function untilFound(
  look: () => Promise<RunResult>,
  expected: readonly string[],
  saying = /^/,
): Promise<Judged> {
  return vi.waitFor(
    async () => {
      const result = await look()
      expect(found(result)).toEqual(expected)
      for (const { summary } of (result as Judged).judgements) expect(summary).toMatch(saying)
      return result as Judged
    },
    { timeout: 15_000, interval: 100 },
  )
}
