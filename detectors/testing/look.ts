/** One look, as tests take it. */
import type { Detector, Host, Judgement, Touches } from '../contract.ts'
import { guardedHost } from '../host/guarded.ts'

/**
 * Samples and judges once, with options as they would stand in settings. As in an agent, what the detector touches beyond
 * what it says throws.
 */
export async function look<O, S, R extends string>(
  detector: Detector<O, S, R>,
  host: Host,
  options: unknown = {},
): Promise<readonly Judgement<R>[]> {
  const parsed = detector.options.parse(options)
  const sample = await detector.sample(guarded(host, detector.touches), parsed, new AbortController().signal)
  return detector.judge(sample, parsed, [])
}

const guards = new WeakMap<Host, WeakMap<Touches, Host>>()

/** The same for each look at one host, since detectors keep by it what they know. */
function guarded(host: Host, touches: Touches): Host {
  const ofHost = guards.get(host) ?? new WeakMap<Touches, Host>()
  guards.set(host, ofHost)
  const guard = ofHost.get(touches) ?? guardedHost(host, touches)
  ofHost.set(touches, guard)
  return guard
}
