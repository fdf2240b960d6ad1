/** A change of a running mesh's settings, as an operator makes it: in the file, with the next version. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { builtinDetectors } from '../../detectors/index.ts'
import type { ControlPlaneStage } from './stage.ts'

/** The agents there share one machine, and what is wrong with that is nothing of the nodes that they stand for. */
const NONE: Detectors = Object.fromEntries(builtinDetectors.map(({ name }) => [name, { enabled: false }]))

type Detectors = Readonly<Record<string, object>>

export interface Change {
  readonly marking?: object
  readonly policies?: readonly object[]
  readonly guards?: object
  /** Those that are to look, with their settings; none when not given. */
  readonly detectors?: Detectors
  readonly remediators?: object
  readonly approvals?: object
  readonly alerting?: object
}

/** Replaces whole parts of the settings. Resolves when a leader has put them in force. */
export async function putInForce({ cluster, mesh, network }: ControlPlaneStage, change: Change): Promise<void> {
  const file = join(network.dir, 'settings.yaml')
  const document = parse(readFileSync(file, 'utf8')) as { readonly version: number }
  const version = document.version + 1
  // What is staged there are verdicts and marks, not settings.
  const rollout = { stages: ['100%'], soak: '0s' }
  writeFileSync(
    file,
    stringify({ ...document, rollout, ...change, detectors: { ...NONE, ...change.detectors }, version }),
  )
  const clients = mesh.aggregators.map(({ client }) => client)
  await cluster.until('the settings', () =>
    Promise.any(
      clients.map(async (client) => {
        if ((await client.state()).settings.version < version) throw new Error('an earlier version is in force')
        return true
      }),
    ),
  )
}
