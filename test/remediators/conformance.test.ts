/** Every remediator that ships does what any remediator must (remediators/testing/conformance.ts). */
import { describe, it } from 'vitest'
import type { Remediator } from '../../remediators/contract.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type Case, remediatorConformance } from '../../remediators/testing/conformance.ts'
import { sysctlCases } from './cases/sysctl.ts'

const CASES: Readonly<Record<string, readonly Case[]>> = {
  sysctl: sysctlCases,
}

describe.each(builtinRemediators.map((remediator): [string, Remediator] => [remediator.name, remediator]))(
  '%s',
  (name, remediator) => {
    for (const check of remediatorConformance(remediator, CASES[name] ?? [])) it(check.name, check.run)
  },
)
