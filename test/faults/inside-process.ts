/** The other end of inside.ts: answers questions on stdin, a line of JSON each, until stdin ends. */
import { execFile } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { durationMs } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import type { PeerOffset } from '../../detectors/contract.ts'
import { systemClock } from '../../detectors/engine/clock.ts'
import { probe } from '../../detectors/engine/probe.ts'
import type { RunResult } from '../../detectors/engine/track.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { createHost } from '../../detectors/host/host.ts'
import { builtinDetectors } from '../../detectors/index.ts'

export type Question =
  | { readonly look: string; readonly options: unknown; readonly peers: readonly PeerOffset[] }
  | { readonly run: readonly string[] }
export interface Answer {
  readonly result?: RunResult
  readonly said?: string
  readonly failed?: string
}

/** As many samples as the engine keeps. */
const PAST_MAX = 10

let peers: readonly PeerOffset[] = []
const host = createHost({ node: 'node-7', peerOffsets: () => peers })
/** One for each detector and for good, as in the engine. */
const guarded = new Map(builtinDetectors.map(({ name, touches }) => [name, guardedHost(host, touches)]))
const past = new Map<string, readonly unknown[]>()

async function look(name: string, options: unknown): Promise<RunResult> {
  const detector = builtinDetectors.find((one) => one.name === name)
  if (detector === undefined) throw new Error(`there is no detector ${name}`)
  const before = past.get(name) ?? []
  const { result, sample } = await probe({
    detector,
    host: guarded.get(name) ?? host,
    options: detector.options.parse(options),
    past: before,
    timeoutMs: durationMs(detector.timeout),
    clock: systemClock,
    abort: new AbortController(),
  })
  if (result.kind === 'judged') past.set(name, [sample, ...before].slice(0, PAST_MAX))
  return result
}

async function answer(question: Question): Promise<Answer> {
  try {
    if ('look' in question) {
      peers = question.peers
      return { result: await look(question.look, question.options) }
    }
    const [command = '', ...args] = question.run
    const { stdout } = await promisify(execFile)(command, args, { timeout: 30_000 })
    return { said: stdout }
  } catch (error) {
    return { failed: messageOf(error) }
  }
}

for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`)
}
// A look that hangs must not keep it.
process.exit()
