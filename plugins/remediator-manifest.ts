/** A manifest with `kind: remediator` becomes a remediator like any other: settings, policies and plans see no difference. */
import { z } from 'zod'
import { UsageError } from '../common/errors.ts'
import { parseYaml, type YamlFile } from '../common/yaml-file.ts'
import type { Command } from '../detectors/contract.ts'
import { explain } from '../detectors/manifests/manifest.ts'
import { EVERYTHING, limitsOf } from '../detectors/manifests/program.ts'
import { caps, common, program, reasonName, sentence, touches, within } from '../detectors/manifests/schema.ts'
import type { Remediator } from '../remediators/contract.ts'
import { programRemediator } from '../remediators/program.ts'

const { command } = program

/** docs/plugins.md says it with an example. */
const remediatorSchema = z.strictObject({
  kind: z.literal('remediator'),
  name: common.name,
  version: common.version,
  summary: sentence,
  handles: z.array(reasonName).min(1).max(32),
  reach: z.enum(['none', 'process', 'host', 'workloads', 'machine']),
  risk: z.enum(['low', 'medium', 'dangerous']),
  reversible: z.boolean(),
  /** Of one that is not reversible; with it a policy may make the fix automatic. */
  loses: z.string().trim().min(1).max(160).exactOptional(),
  /** A command that prints in its first line what is now, and what that is when there is nothing to mend. */
  state: z.strictObject({ command, wanted: z.string().trim().min(1).max(200) }),
  apply: command,
  revert: command.exactOptional(),
  timeout: within('1s', '10m').prefault('30s'),
  caps,
  touches,
  /** Takes effect where the agent is root. */
  user: z.enum(['nobody', 'agent']).default('agent'),
  network: program.network,
})

/** Whether a manifest is one of a remediator; what else it may be is for detectors/manifests/manifest.ts to say. */
export function isRemediatorManifest({ value }: YamlFile): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'remediator'
}

/**
 * The remediator that the manifest `text` describes. Throws a UsageError that names `file`, the line, the key and, for a key
 * that there is not, the nearest that there is.
 */
export function readRemediatorManifest(text: string, file: string): Remediator {
  const yaml = parseYaml(text, file)
  const parsed = remediatorSchema.safeParse(yaml.value)
  if (!parsed.success) throw explain(yaml, parsed.error.issues, remediatorSchema)
  const manifest = parsed.data
  const { paths, commands, writes } = manifest.touches ?? EVERYTHING
  if (manifest.reversible && manifest.revert === undefined) {
    throw new UsageError(`${yaml.placeOf(['reversible'])}: reversible is true, and there is no revert`)
  }
  if (manifest.reversible && manifest.loses !== undefined) {
    throw new UsageError(`${yaml.placeOf(['loses'])}: reversible is true, so nothing is lost`, 'leave loses out')
  }
  return programRemediator({
    ...manifest,
    state: manifest.state.command as Command,
    wanted: manifest.state.wanted,
    limits: limitsOf(manifest),
    outputBytes: manifest.caps.output,
    paths,
    commands,
    writes,
  }) as Remediator
}
