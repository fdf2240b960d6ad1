/** One look of one detector at the host: sample within a time limit, then judge, and cut both to size. Never throws. */
import { formatDuration } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import { type Detector, type Host, NotApplicable } from '../contract.ts'
import { boundJudgement, boundSummary, JUDGEMENTS_MAX } from './bounds.ts'
import type { Clock } from './clock.ts'
import { type RunResult, unknownReason } from './track.ts'

export interface Probe {
  readonly result: RunResult
  /** What was judged; undefined when nothing was. */
  readonly sample: unknown
  readonly timedOut: boolean
  /** Set when the detector did not stop when told to: resolves when it does at last, if ever. */
  readonly hung: Promise<void> | undefined
}

export interface ProbeInput {
  readonly detector: Detector
  readonly host: Host
  readonly options: unknown
  /** Samples before this one, newest first. */
  readonly past: readonly unknown[]
  readonly timeoutMs: number
  readonly clock: Clock
  /** Aborted here on a timeout, and by the caller to give up. */
  readonly abort: AbortController
}

export async function probe(input: ProbeInput): Promise<Probe> {
  const { detector, host, options, past, abort } = input
  let running = true
  const sampling = takeSample(detector, host, options, abort.signal).finally(() => {
    running = false
  })
  let sample: unknown
  try {
    sample = await withinTime(sampling, input)
  } catch (error) {
    const kind = error instanceof NotApplicable ? 'not-applicable' : 'failed'
    const ended = sampling.then(ignore, ignore)
    const result = { kind, why: boundSummary(messageOf(error)) } as const
    return { result, sample, timedOut: error instanceof TimedOut, hung: running ? ended : undefined }
  }
  try {
    const judgements = detector.judge(sample, options, past).slice(0, JUDGEMENTS_MAX).map(boundJudgement)
    const stray = unknownReason(detector.reasons, judgements)
    if (stray !== undefined) throw new Error(`reason ${stray} is not in the catalogue`)
    return { result: { kind: 'judged', judgements }, sample, timedOut: false, hung: undefined }
  } catch (error) {
    const why = boundSummary(`cannot judge what was read: ${messageOf(error)}`)
    return { result: { kind: 'failed', why }, sample, timedOut: false, hung: undefined }
  }
}

/** The detector was not done in its time. What it throws on being told to stop is the same. */
class TimedOut extends Error {}

function ignore(): void {}

/** Async, so that a detector that throws before its first await rejects like any other. */
async function takeSample(detector: Detector, host: Host, options: unknown, signal: AbortSignal): Promise<unknown> {
  const missing = await host.missing(detector.needs)
  if (missing.length > 0) throw new NotApplicable(`needs ${missing.join(', ')}`)
  return detector.sample(host, options, signal)
}

async function withinTime(sampling: Promise<unknown>, { timeoutMs, clock, abort }: ProbeInput): Promise<unknown> {
  const done = new AbortController()
  const limit = clock.sleep(timeoutMs, done.signal).then(() => {
    const timeout = new TimedOut(`no answer within ${formatDuration(timeoutMs)}`)
    abort.abort(timeout)
    throw timeout
  })
  const givenUp = new Promise<never>((_, reject) => {
    abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true })
  })
  // Whichever loses the race still rejects later, and nobody is left to look.
  limit.catch(ignore)
  givenUp.catch(ignore)
  try {
    return await Promise.race([sampling, limit, givenUp])
  } finally {
    done.abort()
  }
}
