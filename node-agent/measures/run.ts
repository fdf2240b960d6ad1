/** Measures this host four times a minute, keeps the averages through restarts, and answers who asks for them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomically } from '../../common/atomic-file.ts'
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Moment } from '../../common/moment.ts'
import type { Host } from '../../detectors/contract.ts'
import { type Clock, systemClock } from '../../detectors/engine/clock.ts'
import type { UsageRing } from '../../detectors/usage/ring.ts'
import { decodeQuestion, encodeWithin, MEASURES_TOPIC, MINUTE_MS } from '../../inspection/measure-words.ts'
import type { Measures } from '../../inspection/measures.ts'
import { ASK_BYTES_MAX } from '../../mesh/libp2p/asks.ts'
import type { Questions } from '../../mesh/libp2p/questions.ts'
import { containersOf } from './containers.ts'
import { HostMeasures } from './host-measures.ts'
import { hourOf, MeasureKeeper } from './keeper.ts'

const SAMPLE_EVERY_MS = 15_000
/** A reading stands for no more than this, however long ago the last one was: a host that slept measured nothing meanwhile. */
const STANDS_FOR_MS_MAX = 4 * SAMPLE_EVERY_MS

const FILE = 'measures.cbor'

export interface MeasuresInit {
  readonly host: Host
  readonly usage: UsageRing
  readonly stateDir: string
  /** Ends it. */
  readonly signal: AbortSignal
  readonly clock?: Clock
  readonly log: Log
}

export interface RunningMeasures {
  /** Averages over the last whole minute. */
  now(): Measures
  /** To a question on MEASURES_TOPIC; of containers as many as `bytesMax` has room for. Rejects for what is no question. */
  answer(question: Uint8Array, bytesMax: number): Promise<Uint8Array>
  /** The hours are kept. */
  readonly stopped: Promise<void>
}

export async function startMeasures(init: MeasuresInit): Promise<RunningMeasures> {
  const { host, usage, stateDir, signal, clock = systemClock, log } = init
  const path = join(stateDir, FILE)
  const keeper = new MeasureKeeper()
  await restore(keeper, path, log)
  const reader = new HostMeasures(host)
  const keep = () =>
    writeFileAtomically(path, keeper.encode()).catch((error: unknown) =>
      log.warn({ err: messageOf(error) }, 'the hours of this host are not kept'),
    )
  const run = async () => {
    let before: Moment | undefined
    while (!signal.aborted) {
      const began = clock.now()
      const figures = await reader.read(() => clock.now().ms)
      keeper.take(began, figures, Math.min(began.ms - (before?.ms ?? began.ms - SAMPLE_EVERY_MS), STANDS_FOR_MS_MAX))
      if (before !== undefined && hourOf(before.wall) !== hourOf(began.wall)) await keep()
      before = began
      await clock.sleep(Math.max(1_000, began.ms + SAMPLE_EVERY_MS - clock.now().ms), signal).catch(() => {})
    }
    await keep()
  }
  return {
    now: () => keeper.average(clock.now(), 1),
    async answer(question, bytesMax) {
      const { minutes, hoursAfter, containers } = decodeQuestion(question)
      const now = clock.now()
      const { minute, containers: all } = containersOf(usage, reader.size)
      const answer = {
        minute: Math.floor(now.ms / MINUTE_MS),
        passedMs: Math.floor(now.ms % MINUTE_MS),
        minutes: keeper.lastMinutes(now, minutes),
        hours: keeper.wholeHours(now, hoursAfter),
        containerMinute: minute,
        containers: containers ? all : [],
      }
      return encodeWithin(answer, bytesMax)
    },
    stopped: run(),
  }
}

/** Aggregators ask by name, too, who has more to tell than goes into a row. */
export function answerMeasures(
  questions: Questions,
  measures: RunningMeasures,
  mayAsk: (node: string) => boolean,
): void {
  questions.on(MEASURES_TOPIC, async (from, question) => {
    if (!mayAsk(from)) throw new Error('only aggregators may ask')
    return await measures.answer(question, ASK_BYTES_MAX)
  })
}

async function restore(keeper: MeasureKeeper, path: string, log: Log): Promise<void> {
  try {
    keeper.restore(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn({ err: messageOf(error) }, 'the hours that were kept of this host cannot be read')
  }
}
