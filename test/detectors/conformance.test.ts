/** Every detector that ships does what any detector must (detectors/testing/conformance.ts), and is documented. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { renderCatalogue } from '../../detectors/catalogue.ts'
import type { Detector } from '../../detectors/contract.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { conformance } from '../../detectors/testing/conformance.ts'
import { fixtureRoot } from './fixture-host.ts'

const docs = new URL('../../docs/', import.meta.url)

describe.each(builtinDetectors.map((detector): [string, Detector] => [detector.name, detector]))(
  '%s',
  (name, detector) => {
    for (const check of conformance(detector, fixtureRoot(name))) it(check.name, check.run)

    it('has a runbook for each reason', async () => {
      for (const [reason, { runbook }] of Object.entries(detector.reasons)) {
        const text = await readFile(new URL(`runbooks/${runbook}.md`, docs), 'utf8')
        for (const part of ['**What it means.**', '**How to look.**', '**What to do.**']) expect(text).toContain(part)
        expect(text).toContain(`\`${reason}\``)
      }
    })
  },
)

describe('the list of detectors', () => {
  it('has each name and each reason once', () => {
    const names = builtinDetectors.map(({ name }) => name)
    const reasons = builtinDetectors.flatMap((detector) => Object.keys(detector.reasons))
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(reasons).size).toBe(reasons.length)
  })

  it('is what docs/detectors.md says (if not: node scripts/docs.ts)', async () => {
    expect(await readFile(new URL('detectors.md', docs), 'utf8')).toBe(renderCatalogue(builtinDetectors))
  })

  it('has for each the real fault that showed it, in a test that is there', async () => {
    const table = await readFile(new URL('detector-faults.md', docs), 'utf8')
    const rows = table.split('\n').flatMap((line) => {
      const [, name = '', fault = '', tests = ''] = line.split('|').map((cell) => cell.trim())
      return line.startsWith('| ') && !['Detector', '---'].includes(name) ? [{ name, fault, tests }] : []
    })
    expect(rows.map(({ name }) => name)).toEqual(builtinDetectors.map(({ name }) => name).toSorted())
    for (const { name, fault, tests } of rows) {
      expect(fault, name).not.toBe('')
      for (const file of tests.split(', '))
        expect(existsSync(new URL(`../${file}`, docs)), `${name}: ${file}`).toBe(true)
    }
  })
})
