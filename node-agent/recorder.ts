/**
 * Answers questions of an aggregator for a recording: what one detector reads here, redacted before it leaves. Whether it
 * does at all is said in this node's own file and not in the settings, for those who can change the settings are those who ask.
 */
import { hostname } from 'node:os'
import { formatDuration } from '../common/duration.ts'
import { messageOf, StarlingError } from '../common/errors.ts'
import type { Log } from '../common/log.ts'
import type { Detector, Host } from '../detectors/contract.ts'
import { type Clock, systemClock } from '../detectors/engine/clock.ts'
import type { RunResult } from '../detectors/engine/track.ts'
import type { RecordingAnswer } from '../detectors/recording/notes.ts'
import { packRecording, READ_BYTES_MAX } from '../detectors/recording/pack.ts'
import { record } from '../detectors/recording/record.ts'

/** A look beyond those that its interval allows is paid for by nobody's budget, so there are few. */
const PAUSE_MS = 10_000

export interface RecorderInit {
  readonly isAllowed: boolean
  readonly host: Host
  /** That run here, and those that are switched off. */
  readonly detectors: () => readonly Detector[]
  /** One look through `host`. Rejects for a detector that is switched off. */
  readonly glimpse: (detector: string, host: Host) => Promise<RunResult>
  /** Names of all nodes of the mesh. */
  readonly nodes: () => readonly string[]
  readonly log: Log
  readonly clock?: Clock
}

export class Recorder {
  readonly #init: RecorderInit
  readonly #clock: Clock
  #isBusy = false
  #endedMs = Number.NEGATIVE_INFINITY

  constructor(init: RecorderInit) {
    this.#init = init
    this.#clock = init.clock ?? systemClock
  }

  /** `asker`: who signed the question. Never rejects: what does not come to a recording is an answer, too. */
  async answer(asker: string, name: string): Promise<RecordingAnswer> {
    const here = `run there: starling plugin record ${name} --here --out FOLDER, and fetch the folder`
    const { log } = this.#init
    try {
      const packed = await this.#record(name)
      log.info({ detector: name, from: asker, bytes: packed.length }, 'recorded what a detector reads')
      return { packed }
    } catch (error) {
      const refused = messageOf(error).slice(0, 500)
      log.warn({ detector: name, from: asker, why: refused }, 'nothing was recorded')
      return { refused, remedy: error instanceof StarlingError ? (error.remedy ?? here) : here }
    }
  }

  async #record(name: string): Promise<Uint8Array> {
    const { isAllowed, host, detectors, glimpse, nodes } = this.#init
    if (!isAllowed) {
      const remedy = `\`recordings: allow\` in its agent.yaml allows them; or run there: starling plugin record ${name} --here`
      throw new StarlingError(`${host.node} refuses recordings by its own configuration`, { remedy })
    }
    const detector = detectors().find((one) => one.name === name)
    if (detector === undefined) {
      const remedy = '`starling detectors list` has those that ship; a plugin must be installed on that node'
      throw new StarlingError(`${host.node} has no detector ${name}`, { remedy })
    }
    const leftMs = this.#endedMs + PAUSE_MS - this.#clock.now().ms
    if (this.#isBusy || leftMs > 0) {
      const remedy = `one at a time, and ${formatDuration(PAUSE_MS)} between two: ask again`
      throw new StarlingError(`${host.node} ${this.#isBusy ? 'records' : 'has just recorded'} for somebody`, { remedy })
    }
    this.#isBusy = true
    try {
      const recorded = await record({
        detector,
        host,
        look: (through) => glimpse(name, through),
        names: [host.node, hostname()],
        others: nodes(),
        bytesMax: READ_BYTES_MAX,
      })
      return await packRecording(recorded)
    } finally {
      this.#isBusy = false
      this.#endedMs = this.#clock.now().ms
    }
  }
}
