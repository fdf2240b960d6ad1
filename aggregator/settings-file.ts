/**
 * The settings as the operator keeps them: a YAML file beside the aggregator. A newer version in it is checked, signed and
 * handed to the mesh; anything wrong with it leaves the one in force alone.
 */
import { unwatchFile, watchFile } from 'node:fs'
import { UsageError } from '../common/errors.ts'
import { readYamlFile } from '../common/yaml-file.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { type Registries, validateSettings } from '../settings/validate.ts'

/** Editors replace files in many ways; looking at the file's date is the one that sees them all. */
const LOOK_EVERY_MS = 1_000

/** Throws a UsageError naming file, key and remedy. */
export function readSettingsFile(file: string, mesh: string, registries: Registries): SettingsDocument {
  const document = validateSettings(readYamlFile(file).value, file, registries)
  requireMesh(document, file, mesh)
  return document
}

/** Throws a UsageError that names `source` when they are for another mesh than this. */
export function requireMesh(document: SettingsDocument, source: string, mesh: string): void {
  if (document.mesh === mesh) return
  throw new UsageError(`${source}: mesh is ${document.mesh}, this is ${mesh}`, `set mesh: ${mesh}`)
}

/** Calls back when the file was changed. Returns how to stop. */
export function watchSettingsFile(file: string, onChange: () => void): () => void {
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs) onChange()
  })
  return () => unwatchFile(file)
}
