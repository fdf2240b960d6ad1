/** `starling plugin record`: one look of a detector at a real host, kept as a recorded host. */
import { existsSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { durationMs } from '../../common/duration.ts'
import { StarlingError } from '../../common/errors.ts'
import type { Detector } from '../../detectors/contract.ts'
import { systemClock } from '../../detectors/engine/clock.ts'
import { probe } from '../../detectors/engine/probe.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { createHost } from '../../detectors/host/host.ts'
import { unpackRecording } from '../../detectors/recording/pack.ts'
import { record } from '../../detectors/recording/record.ts'
import type { Recorded } from '../../detectors/recording/recorded.ts'
import type { ApiClient } from '../client.ts'
import { markOf } from '../detectors/render.ts'
import { printable } from '../text.ts'

/** More than this is no fixture that somebody wants to keep. */
const BYTES_MAX = 8 * 1024 * 1024

export function requireEmpty(out: string): void {
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new StarlingError(`${out} is not empty`, { remedy: 'give another --out' })
}

/** Of this host. Throws a StarlingError when more than 8 MiB would be recorded. */
export async function recordHere(detector: Detector, options: unknown): Promise<Recorded> {
  const host = createHost({ node: hostname(), peerOffsets: () => [] })
  return record({
    detector,
    host,
    look: async (through) => {
      const { result } = await probe({
        detector,
        host: guardedHost(through, detector.touches),
        options,
        past: [],
        timeoutMs: durationMs(detector.timeout),
        clock: systemClock,
        abort: new AbortController(),
      })
      return result
    },
    names: [hostname()],
    others: [],
    bytesMax: BYTES_MAX,
  })
}

/** Of the host of `node`, by its own agent. Throws a StarlingError when it refuses, does not answer, or says what is none. */
export async function recordOn(node: string, detector: string, client: ApiClient): Promise<Recorded> {
  const recorded = unpackRecording(Buffer.from(await client.recording(node, detector), 'base64'))
  if (recorded.detector === detector) return recorded
  throw new StarlingError(`${node} was asked for ${detector} and answered with ${recorded.detector}`)
}

/** What the detector made of what it read. */
export function renderRecorded({ detector, kind, why, judgements }: Recorded): string {
  const status = kind === 'judged' ? 'ok' : kind === 'failed' ? 'unknown' : kind
  if (judgements.length === 0) return `${markOf(status).text}  ${detector}${why === '' ? '' : `: ${printable(why)}`}\n`
  const lines = judgements.map(({ severity, reason, cause, summary }) => {
    return `${markOf(severity).text}  ${detector}: ${printable(`${reason} ${cause}`.trim())}: ${printable(summary)}\n`
  })
  return lines.join('')
}
