/** Every remediator that ships does what any remediator must (remediators/testing/conformance.ts), and is documented. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { builtinDetectors } from '../../detectors/index.ts'
import { renderRemediators } from '../../remediators/catalogue.ts'
import type { Remediator } from '../../remediators/contract.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type Case, remediatorConformance } from '../../remediators/testing/conformance.ts'
import { clockStepCases } from './cases/clock-step.ts'
import { diskCleanCases } from './cases/disk-clean.ts'
import { logRotateConfigCases } from './cases/log-rotate-config.ts'
import { nicTuneCases } from './cases/nic-tune.ts'
import { restartUnitCases } from './cases/restart-unit.ts'
import { sysctlCases } from './cases/sysctl.ts'

const CASES: Readonly<Record<string, readonly Case[]>> = {
  sysctl: sysctlCases,
  'nic-tune': nicTuneCases,
  'log-rotate-config': logRotateConfigCases,
  'restart-unit': restartUnitCases,
  'clock-step': clockStepCases,
  'disk-clean': diskCleanCases,
}

describe.each(builtinRemediators.map((remediator): [string, Remediator] => [remediator.name, remediator]))(
  '%s',
  (name, remediator) => {
    for (const check of remediatorConformance(remediator, CASES[name] ?? [])) it(check.name, check.run)
  },
)

describe('the list of remediators', () => {
  const docs = new URL('../../docs/', import.meta.url)

  it('has each name once, and handles reasons that there are', () => {
    const names = builtinRemediators.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    const known = builtinDetectors.flatMap(({ reasons }) => Object.keys(reasons))
    for (const { handles } of builtinRemediators) expect(known).toEqual(expect.arrayContaining([...handles]))
  })

  it('is what docs/remediators.md says (if not: node scripts/docs.ts)', async () => {
    expect(await readFile(new URL('remediators.md', docs), 'utf8')).toBe(renderRemediators(builtinRemediators))
  })

  it('has for each what it mended for real, and what was mended with nobody asked, in tests that are there', async () => {
    const parts = (await readFile(new URL('remediator-faults.md', docs), 'utf8')).split('\n\n')
    const rowsOf = (heading: string) => {
      const [, , ...rows] = parts.find((part) => part.startsWith(`| ${heading} |`))?.split('\n') ?? []
      return rows.map((row) => row.split('|').map((cell) => cell.trim()))
    }
    const all = [...rowsOf('Remediator'), ...rowsOf('Fault')]
    expect(rowsOf('Remediator').map(([, name]) => name)).toEqual(builtinRemediators.map(({ name }) => name).toSorted())
    expect(rowsOf('Fault').length).toBeGreaterThanOrEqual(5)
    for (const [, name = '', what = '', tests = ''] of all) {
      expect(what, name).not.toBe('')
      for (const file of tests.split(', '))
        expect(existsSync(new URL(`../${file}`, docs)), `${name}: ${file}`).toBe(true)
    }
  })
})
