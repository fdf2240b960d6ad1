/**
 * Configuration of node-problem-detector's custom-plugin-monitor and system-log-monitor as manifests of ours. What it does
 * differently here is said for each, so that nobody has to find it out.
 */
import { stringify } from 'yaml'
import { parseNpdConfig } from './config.ts'
import { fromCustom } from './custom.ts'
import type { ImportOptions } from './draft.ts'
import { fromLog } from './log-monitor.ts'

export interface Imported {
  /** A file of plugins.d each. */
  readonly manifests: readonly { readonly name: string; readonly text: string }[]
  /** What is different here. */
  readonly notes: readonly string[]
  /** What could not be taken over. */
  readonly leftOut: readonly string[]
}

/** Throws a UsageError that names `file` and the place when it is no such configuration. */
export function importNpd(text: string, file: string, options: ImportOptions): Imported {
  const { config, strange } = parseNpdConfig(text, file)
  const draft = config.plugin === 'custom' ? fromCustom(config, options) : fromLog(config)
  const manifests = draft.manifests.map((manifest) => ({
    name: manifest.name,
    text: `# From ${file} of node-problem-detector (${config.source}).\n${stringify(manifest, { lineWidth: 0 })}`,
  }))
  return { manifests, notes: [...strange, ...draft.notes], leftOut: draft.leftOut }
}
