/** Every detector that ships does what any detector must (detectors/testing/conformance.ts), and is documented. */
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
})
