/** One look, as tests take it. */
import type { Detector, Host, Judgement } from '../contract.ts'

/** Samples and judges once, with options as they would stand in settings. */
export async function look<O, S, R extends string>(
  detector: Detector<O, S, R>,
  host: Host,
  options: unknown = {},
): Promise<readonly Judgement<R>[]> {
  const parsed = detector.options.parse(options)
  return detector.judge(await detector.sample(host, parsed, new AbortController().signal), parsed, [])
}
