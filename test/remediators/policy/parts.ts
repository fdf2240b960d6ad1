/** Small made-up parts that the tests of policies share. */
import { z } from 'zod'
import type { Remediator } from '../../../remediators/contract.ts'
import type { Policy } from '../../../remediators/policy/model.ts'
import type { Rules } from '../../../remediators/policy/rules.ts'
import { readRemediatorSettings } from '../../../remediators/settings.ts'
import { NODE } from '../parts.ts'

export function remediator(name: string, handles: readonly string[], parts: Partial<Remediator> = {}): Remediator {
  return {
    name,
    summary: 'does nothing',
    handles,
    reach: 'none',
    risk: 'low',
    reversible: true,
    touches: {},
    options: z.strictObject({}),
    plan: () => null,
    apply: async () => {},
    revert: async () => {},
    ...parts,
  }
}

export const DISK = 'DiskAlmostFull'
export const TABLE = 'ConntrackAlmostFull'

export const clean = remediator('clean', [DISK])
export const restart = remediator('restart', [DISK, TABLE], { reach: 'process', timeout: '2m' })
export const grow = remediator('grow', [TABLE])

export function policy(parts: Partial<Policy> = {}): Policy {
  return {
    name: 'a',
    selector: { pools: ['gpu'] },
    match: [{ reason: DISK }],
    mode: 'approve',
    ladder: [{ remediator: 'clean', attempts: 1 }],
    windows: [],
    coolDown: '10m',
    ...parts,
  }
}

export function rules(policies: readonly Policy[], settings: unknown = {}): Rules {
  return {
    node: NODE,
    traits: { node: NODE, zone: 'a', roles: ['worker'], pool: 'gpu' },
    byName: readRemediatorSettings([restart, clean, grow], settings),
    policies,
  }
}
