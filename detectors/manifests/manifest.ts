/** A plugin's manifest becomes a detector like any other: the engine, settings and documentation see no difference. */
import type { z } from 'zod'
import { durationMs } from '../../common/duration.ts'
import { UsageError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { keysAt } from '../../common/schema-shape.ts'
import { unknownKeyError } from '../../common/setting-errors.ts'
import { parseYaml, type YamlFile } from '../../common/yaml-file.ts'
import { type Detector, SEVERITIES, type Severity } from '../contract.ts'
import { logDetector } from './log.ts'
import { metricFileDetector } from './metric-file.ts'
import { programDetector } from './program.ts'
import { type Manifest, manifestSchema } from './schema.ts'

/**
 * The detector that the manifest `text` describes. Throws a UsageError that names `file`, the line, the key and, for a key or
 * reason that there is not, the nearest that there is.
 */
export function readPluginManifest(text: string, file: string): Detector {
  const yaml = parseYaml(text, file)
  const parsed = manifestSchema.safeParse(yaml.value)
  if (!parsed.success) throw explain(yaml, parsed.error.issues, manifestSchema)
  const manifest = parsed.data
  requireSense(yaml, manifest)
  if (manifest.dialect === 'log') return logDetector(manifest)
  if (manifest.dialect === 'textfile' && manifest.file !== undefined) return metricFileDetector(manifest, manifest.file)
  if (manifest.command === undefined) throw new UsageError(`${file} is not set: command`)
  return programDetector({ ...manifest, command: manifest.command })
}

type Issue = Readonly<{ code: string; path: PropertyKey[]; message: string; keys?: string[] }>

/** The first thing that is wrong with `yaml`, which was held against `schema`. */
export function explain(yaml: YamlFile, issues: readonly Issue[], schema: z.ZodType): UsageError {
  // A mistyped key first: the value that seems to be missing is often the one behind it.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  if (issue === undefined) return new UsageError(`${yaml.file} is no manifest of a plugin`)
  const [key] = issue.keys ?? []
  const place = [yaml.placeOf(issue.path, key), ...(issue.path.length > 0 ? [issue.path.map(String).join('.')] : [])]
  if (key !== undefined) return unknownKeyError(place.join(': '), key, keysAt(schema, issue.path, yaml.value))
  if (issue.code === 'invalid_union') {
    return new UsageError(`${place.join(': ')}: must be one of npd, nagios, json, textfile and log`)
  }
  const message = /received undefined$/.test(issue.message) ? 'is not set' : issue.message
  return new UsageError(`${place.join(': ')}: ${message}`)
}

/** What the schema cannot say: things that must agree with each other. */
function requireSense(yaml: YamlFile, manifest: Manifest): void {
  const fail = (path: readonly PropertyKey[], why: string, remedy?: string): never => {
    throw new UsageError(`${yaml.placeOf(path)}: ${path.map(String).join('.')} ${why}`, remedy)
  }
  const names = Object.keys(manifest.reasons)
  const requireReason = (path: readonly PropertyKey[], name: string): void => {
    if (names.includes(name)) return
    const meant = nearest(name, names)
    fail(path, `is ${name}, which is none of its reasons`, meant === undefined ? undefined : `did you mean "${meant}"?`)
  }
  for (const [name, { supersedes }] of Object.entries(manifest.reasons)) {
    if (ENGINE_REASONS.includes(name)) fail(['reasons', name], 'is a reason of the engine itself')
    if (supersedes === undefined) continue
    requireReason(['reasons', name, 'supersedes'], supersedes)
    const isMilder = rank(manifest.reasons[supersedes]?.severity) < rank(manifest.reasons[name]?.severity)
    if (!isMilder) fail(['reasons', name, 'supersedes'], `must be a milder reason than ${name}`)
  }
  if ('states' in manifest) {
    for (const [state, reason] of Object.entries(manifest.states)) requireReason(['states', state], reason)
  }
  if (manifest.dialect === 'textfile' || manifest.dialect === 'log') {
    for (const [index, { reason }] of manifest.rules.entries()) requireReason(['rules', index, 'reason'], reason)
  }
  if (manifest.dialect === 'textfile') {
    if ((manifest.file === undefined) === (manifest.command === undefined)) {
      throw new UsageError(`${yaml.file}: a textfile plugin has either file or command`)
    }
  }
  if (durationMs(manifest.timeout) > durationMs(manifest.every)) fail(['timeout'], 'is longer than every')
}

const rank = (severity: Severity | undefined) => SEVERITIES.indexOf(severity ?? 'info')

const ENGINE_REASONS = ['Ok', 'ProbeFailed', 'NotApplicable']
