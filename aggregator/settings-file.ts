/**
 * The settings as the operator keeps them: a YAML file beside the aggregator. A newer version in it is checked, signed and
 * handed to the mesh; anything wrong with it leaves the one in force alone.
 */
import { UsageError } from '../common/errors.ts'
import { readYamlFile } from '../common/yaml-file.ts'
import type { SettingsDocument } from '../settings/document.ts'
import { type Registries, validateSettings } from '../settings/validate.ts'

export interface SettingsFile {
  readonly file: string
  /** The mesh that it must be for. */
  readonly mesh: string
  readonly registries: () => Registries
}

/** Throws a UsageError naming file, key and remedy. */
export function readSettingsFile({ file, mesh, registries }: SettingsFile): SettingsDocument {
  const document = validateSettings(readYamlFile(file).value, file, registries())
  requireMesh(document, file, mesh)
  return document
}

/** Throws a UsageError that names `source` when they are for another mesh than this. */
export function requireMesh(document: SettingsDocument, source: string, mesh: string): void {
  if (document.mesh === mesh) return
  throw new UsageError(`${source}: mesh is ${document.mesh}, this is ${mesh}`, `set mesh: ${mesh}`)
}
