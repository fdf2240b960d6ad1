/** Records one look of a detector at a real host, redacted on that host. */
import { describeTouches } from '../catalogue.ts'
import type { Detector, Host } from '../contract.ts'
import type { RunResult } from '../engine/track.ts'
import { type Recorded, redactRecording } from './recorded.ts'
import { recordingHost } from './recording-host.ts'
import { redactor } from './redact.ts'

/** What every recorded host is called. */
const NODE = 'node-7'

export interface RecordInit {
  readonly detector: Detector
  readonly host: Host
  /** One look of the detector, through the host that it is given. */
  readonly look: (through: Host) => Promise<RunResult>
  /** What the host is called. */
  readonly names: readonly string[]
  /** Names of other hosts, which what is read may tell. */
  readonly others: readonly string[]
  /** Of text that may be read. */
  readonly bytesMax: number
}

/** Throws a StarlingError when more was read than may be. */
export async function record({ detector, host, look, names, others, bytesMax }: RecordInit): Promise<Recorded> {
  const through = recordingHost(host, bytesMax)
  const result = await look(through.host)
  through.requireWhole()
  const redact = redactor(names, NODE, others)
  const judgements = result.kind === 'judged' ? result.judgements : []
  return {
    detector: detector.name,
    touches: describeTouches(detector.touches),
    kind: result.kind,
    why: result.kind === 'judged' ? '' : redact(result.why),
    judgements: judgements.map(({ reason, cause = '', summary }) => ({
      severity: detector.reasons[reason]?.severity ?? 'error',
      reason,
      cause: redact(cause),
      summary: redact(summary),
    })),
    host: await redactRecording(
      through.recording,
      { node: NODE, missing: [...(await host.missing(detector.needs))] },
      redact,
    ),
  }
}
