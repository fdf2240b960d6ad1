/** One look of a detector at a host, now: at this one, at one mounted somewhere, or at a recorded one. */
import { existsSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { durationMs } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { settingError } from '../../common/setting-errors.ts'
import { readYamlFile } from '../../common/yaml-file.ts'
import type { Detector, Host, Judgement, Severity } from '../../detectors/contract.ts'
import { systemClock } from '../../detectors/engine/clock.ts'
import { probe } from '../../detectors/engine/probe.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { createHost } from '../../detectors/host/host.ts'
import { fixtureHost } from '../../detectors/testing/fixture-host.ts'

/** `unknown`: it could not look. */
export type LookStatus = 'ok' | Severity | 'unknown' | 'not-applicable'

export interface Look {
  readonly detector: string
  readonly status: LookStatus
  /** Why it does not apply, or could not look; empty otherwise. */
  readonly why: string
  /** What it saw; undefined when it could not look. */
  readonly facts: unknown
  readonly judgements: readonly Judgement[]
}

/** A folder with a `host.json` is a recorded host; any other is where the root of a host is mounted. */
export function hostAt(root: string): Host {
  if (!existsSync(root) || !statSync(root).isDirectory()) throw new UsageError(`${root} is no folder`)
  if (existsSync(join(root, 'host.json'))) return fixtureHost(root)
  return createHost({ node: hostname(), root, peerOffsets: () => [] })
}

/** Never throws: a detector that breaks is a look with the status `unknown`. */
export async function lookOnce(detector: Detector, host: Host, options: unknown): Promise<Look> {
  const { name, reasons } = detector
  const { result, sample } = await probe({
    detector,
    host: guardedHost(host, detector.touches),
    options,
    past: [],
    timeoutMs: durationMs(detector.timeout),
    clock: systemClock,
    abort: new AbortController(),
  })
  const nothing = { detector: name, why: '', facts: sample, judgements: [] }
  if (result.kind === 'failed') return { ...nothing, status: 'unknown', why: result.why }
  if (result.kind === 'not-applicable') return { ...nothing, status: 'not-applicable', why: result.why }
  const judgements = withoutMilder(detector, result.judgements)
  const worst = judgements.map(({ reason }) => reasons[reason]?.severity ?? 'error').toSorted(bySeverity)[0]
  return { ...nothing, status: worst ?? 'ok', judgements }
}

const WORST_FIRST: readonly Severity[] = ['error', 'alarm', 'warn', 'info']

function bySeverity(a: Severity, b: Severity): number {
  return WORST_FIRST.indexOf(a) - WORST_FIRST.indexOf(b)
}

/** As the engine reports them: where the worse of a scale is seen, the milder one is not said. */
function withoutMilder({ reasons }: Detector, judgements: readonly Judgement[]): readonly Judgement[] {
  return judgements.filter(
    ({ reason, cause }) =>
      !judgements.some((other) => reasons[other.reason]?.supersedes === reason && other.cause === cause),
  )
}

/**
 * The detector's options, from a YAML file with them or from words as `warnRatio=0.9` or `bytes.warnRatio=0.9`. Throws a
 * UsageError that names the key.
 */
export function readOptions(detector: Detector, given: readonly string[]): unknown {
  let written: Record<string, unknown> = {}
  for (const word of given) {
    const split = word.indexOf('=')
    if (split < 0) written = { ...written, ...readYamlFile(word).value }
    else setAt(written, word.slice(0, split).split('.'), parsedWord(word.slice(split + 1)))
  }
  const parsed = detector.options.safeParse(written)
  if (parsed.success) return parsed.data
  throw settingError('options', parsed.error, detector.options.parse({}))
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path
  if (rest.length === 0) {
    target[key] = value
    return
  }
  const inner = typeof target[key] === 'object' && target[key] !== null ? target[key] : {}
  target[key] = inner
  setAt(inner as Record<string, unknown>, rest, value)
}

/** As JSON where it is some, so that numbers and lists can be given; otherwise the word itself. */
function parsedWord(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
