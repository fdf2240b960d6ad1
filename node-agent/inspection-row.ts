/** What this node says when an inspection asks how it is: the latest of each detector, after a look at what is oldest. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Finding, FindingStatus } from '../detectors/contract.ts'
import type { DetectorEngine } from '../detectors/engine/engine.ts'
import type { Measures } from '../inspection/measures.ts'
import type { RowFinding } from '../inspection/row.ts'
import { decodeRowQuery, encodeRow } from '../inspection/row-codec.ts'
import type { RowMaker } from '../mesh/libp2p/convergecast.ts'

/** Of a core, for each engine: an inspection is asked for by people, and must not be felt by what runs on ten thousand nodes. */
const LOOKS_CPU_MS = 100

/** To write the row down, which is done when its time is up. */
const WRITE_MS = 100

/** Older than this a result is said to be; what looks more often is as it is now. */
const OLD_S = 60

const WORST_FIRST: readonly FindingStatus[] = ['error', 'alarm', 'warn', 'unknown', 'info', 'not-applicable', 'ok']

export interface InspectionRowInit {
  readonly engines: readonly Pick<DetectorEngine, 'freshen' | 'agesMs'>[]
  /** Findings of each detector that has reported, and of the agent itself, as the mesh was told last. */
  readonly latest: () => Iterable<readonly [detector: string, readonly Finding[]]>
  /** Averages over the last minute. */
  readonly measures: () => Measures
}

export function inspectionRow({ engines, latest, measures }: InspectionRowInit): RowMaker {
  return async (parameters, withinMs) => {
    const { detectors } = decodeRowQuery(parameters)
    const isWanted = (detector: string) => detectors?.includes(detector) ?? true
    const stopping = new AbortController()
    const looks = engines.map((engine) => engine.freshen(isWanted, LOOKS_CPU_MS, stopping.signal))
    await Promise.race([
      Promise.all(looks),
      wait(Math.max(0, withinMs - WRITE_MS), undefined, { signal: stopping.signal }),
    ]).catch(() => {})
    stopping.abort()
    const worst = [...latest()]
      .filter(([detector]) => isWanted(detector))
      .flatMap(([, findings]) => findings.toSorted(byRank)[0] ?? [])
      .toSorted(byRank)
    const older = engines
      .flatMap((engine) => [...engine.agesMs()].map(([name, ms]) => [name, Math.round(ms / 1_000)] as const))
      .filter(([detector, seconds]) => seconds >= OLD_S && isWanted(detector))
    return encodeRow({
      at: new Date().toISOString(),
      fine: worst.filter(({ status }) => status === 'ok').map(({ detector }) => detector),
      findings: worst.flatMap((finding) => rowFinding(finding) ?? []),
      measures: measures(),
      older: Object.fromEntries(older),
    })
  }
}

function rowFinding({ detector, status, reason, summary }: Finding): RowFinding | undefined {
  return status === 'ok' ? undefined : { detector, status, reason, summary }
}

function byRank(a: Finding, b: Finding): number {
  return WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status)
}
