/** The option of detectors that ask a service: how long it may take to answer. */
import { z } from 'zod'
import { type Duration, durationMs, isDuration } from '../../common/duration.ts'

/** `max`: what still leaves the detector time to say so within its own timeout. */
export function answerTimeout(standard: Duration, max: Duration) {
  return z
    .string()
    .refine(isDuration, 'write a number and ms, s, m, h or d, as in 5s')
    .refine(
      (text) => !isDuration(text) || (durationMs(text) > 0 && durationMs(text) <= durationMs(max)),
      `must be above 0 and at most ${max}`,
    )
    .default(standard)
    .describe(`How long one answer may take; what takes longer counts as no answer. At most ${max}.`)
}
