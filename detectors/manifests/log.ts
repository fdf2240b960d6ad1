/** A detector that follows a log: the lines that rules look for, and how long each counts. */
import { z } from 'zod'
import { durationMs } from '../../common/duration.ts'
import { type Detector, defineDetector, JOURNALCTL, type LogSource, type Touches } from '../contract.ts'
import { judgeLog, type LogRule, watchOf } from '../logs/judge-log.ts'
import { withMilder } from './judge-results.ts'
import type { LogManifest } from './schema.ts'

export function logDetector(manifest: LogManifest): Detector {
  const { name, version, summary, every, timeout, reasons } = manifest
  const source = sourceOf(manifest)
  const rules: readonly LogRule[] = manifest.rules.map(({ hold, ...rule }) => ({ ...rule, holdMs: durationMs(hold) }))
  const watch = watchOf(source, rules)
  return defineDetector({
    name,
    version,
    summary,
    every,
    timeout,
    needs: source.kind === 'kmsg' ? ['kmsg'] : [],
    touches: touchesOf(source),
    options: z.strictObject({}),
    reasons,
    async sample(host, _options, signal) {
      signal.throwIfAborted()
      return host.log(watch, signal)
    },
    judge: (tallies) =>
      judgeLog(rules, tallies).flatMap((judgement) =>
        withMilder(reasons, judgement.reason).map((reason) => ({ ...judgement, reason })),
      ),
  }) as Detector
}

function sourceOf({ source }: LogManifest): LogSource {
  switch (source.from) {
    case 'kmsg':
      return { kind: 'kmsg' }
    case 'file':
      return {
        kind: 'file',
        path: source.path,
        ...(source.timestamp === undefined ? {} : { timestamp: source.timestamp }),
      }
    case 'journal':
      return { kind: 'journal', fields: source.fields }
  }
}

function touchesOf(source: LogSource): Touches {
  switch (source.kind) {
    case 'kmsg':
      return { paths: ['/dev/kmsg'] }
    case 'file':
      return { paths: [source.path] }
    case 'journal':
      return { commands: [JOURNALCTL] }
  }
}
