/**
 * The process whose cost is measured: it does one of these, tells its parent what came of it, and waits to be ended. `sweep
 * ROUNDS`: all detectors, one after the other, so many times. `engine FOLDER`: the detector engine as an agent runs it, with
 * its state in that folder. `bare`: the same code loaded, and nothing done.
 */
import { durationMs } from '../../common/duration.ts'
import { silentLog } from '../../common/log.ts'
import { type Detector, NotApplicable } from '../../detectors/contract.ts'
import { startDetectors } from '../../detectors/engine/engine.ts'
import { openTrackStore } from '../../detectors/engine/store.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { createHost } from '../../detectors/host/host.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { SweptLook } from './sweep.ts'

const PAST_MAX = 10
/** Peers whose clocks agree with ours: without a mesh there would be nothing to judge. */
const PEERS = ['a', 'b', 'c'].map((node) => ({ node, offsetMs: 0, errorMs: 1 }))

const host = createHost({ node: 'bench', peerOffsets: () => PEERS })
const [mode, argument = ''] = process.argv.slice(2)

if (mode === 'sweep') process.send?.(await sweep(Number(argument)))
else {
  if (mode === 'engine') await run(argument)
  process.send?.('running')
  process.once('disconnect', () => process.exit())
}

async function run(folder: string): Promise<void> {
  const { signal } = new AbortController()
  const tracks = await openTrackStore(folder, host.node, silentLog)
  const memory = { kept: await tracks.load(), save: tracks.save }
  startDetectors({ host, detectors: builtinDetectors, version: '0', options: {}, onReport: () => {}, memory, signal })
}

async function sweep(times: number): Promise<readonly SweptLook[]> {
  const looks: SweptLook[] = []
  const pasts = new Map<string, readonly unknown[]>()
  for (let round = 0; round < times; round++) {
    for (const detector of builtinDetectors) {
      const past = pasts.get(detector.name) ?? []
      const before = process.cpuUsage()
      const beganMs = performance.now()
      const { result, sample } = await look(detector, past)
      const { user, system } = process.cpuUsage(before)
      const wallMs = performance.now() - beganMs
      if (sample !== undefined) pasts.set(detector.name, [sample, ...past].slice(0, PAST_MAX))
      looks.push({ detector: detector.name, round, result, cpuMs: (user + system) / 1_000, wallMs })
    }
  }
  return looks
}

async function look(detector: Detector, past: readonly unknown[]): Promise<{ result: string; sample?: unknown }> {
  try {
    if ((await host.missing(detector.needs)).length > 0) return { result: 'not-applicable' }
    const options = detector.options.parse({})
    const signal = AbortSignal.timeout(durationMs(detector.timeout))
    const sample = await detector.sample(guardedHost(host, detector.touches), options, signal)
    const judgements = detector.judge(sample, options, past)
    return { result: judgements.length === 0 ? 'ok' : 'fault', sample }
  } catch (error) {
    return { result: error instanceof NotApplicable ? 'not-applicable' : 'unknown' }
  }
}
