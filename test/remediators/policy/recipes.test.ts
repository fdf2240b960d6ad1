/** What docs/policies.md tells people to write is valid, and does what it says there. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { NodeTraits } from '../../../common/selector.ts'
import { parseYaml } from '../../../common/yaml-file.ts'
import type { Severity } from '../../../detectors/contract.ts'
import { builtinDetectors } from '../../../detectors/index.ts'
import { builtinRemediators } from '../../../remediators/index.ts'
import { ruleFor } from '../../../remediators/policy/rules.ts'
import { readPolicies } from '../../../remediators/policy/schema.ts'
import { isOpen } from '../../../remediators/policy/windows.ts'
import { readRemediatorSettings } from '../../../remediators/settings.ts'
import { validateSettings } from '../../../settings/validate.ts'
import { differs, NODE } from '../parts.ts'

const registries = { detectors: builtinDetectors, remediators: builtinRemediators }
const page = readFileSync(new URL('../../../docs/policies.md', import.meta.url), 'utf8')

/** Each block of YAML below the heading that it stands under. */
const blocks = page.split(/^#+ /m).flatMap((section) => {
  const heading = section.slice(0, section.indexOf('\n'))
  const texts = [...section.matchAll(/^```yaml\n(.*?)^```$/gms)].map((found) => String(found[1]))
  return texts.map((text) => [heading, text] as const)
})

const documentOf = (text: string) =>
  validateSettings({ version: 1, mesh: 'a', ...parseYaml(text, 'policies.md').value }, 'policies.md', registries)

/** What is done about a finding on such a node, as `policy: mode`. */
function decided(recipe: string, reason: string, traits: Partial<NodeTraits>, status: Severity = 'alarm') {
  const text = blocks.find(([heading]) => heading === recipe)?.[1] ?? ''
  const rules = {
    node: NODE,
    traits: { node: NODE, zone: 'zone-a', roles: ['worker'], ...traits },
    byName: readRemediatorSettings(builtinRemediators, {}),
    policies: readPolicies(documentOf(text).policies),
  }
  return ruleFor(rules, differs('', '1', '2', { reason, status }))
}

test('there are recipes', () => {
  expect(blocks.map(([heading]) => heading)).toContain('Observe first')
  expect(blocks.length).toBeGreaterThan(5)
})

test.each(blocks)('what stands under "%s" is valid', (_, text) => {
  const { policies, guards } = documentOf(text)
  expect(policies ?? guards).toBeDefined()
})

describe('the recipe', () => {
  test('observes', () => {
    expect(decided('Observe first', 'PidsExhausted', {})).toMatchObject({ policy: 'tables', mode: 'observe' })
  })

  test('asks on the GPU pool only', () => {
    const params = (pool?: string) => decided('Ask a person on the GPU pool', 'KernelParamDiffers', { pool }, 'warn')
    expect(params('gpu')).toMatchObject({ policy: 'params-gpu', mode: 'approve' })
    expect(params('cpu')).toMatchObject({ policy: 'params', mode: 'auto' })
    expect(params()).toMatchObject({ policy: 'params', mode: 'auto' })
  })

  test('acts on workers at night and at weekends', () => {
    const table = (pool: string) => decided('By itself on workers at night', 'ConntrackAlmostFull', { pool })
    expect(table('ingress')).toMatchObject({ policy: 'conntrack', mode: 'approve', windows: [] })
    const worker = table('workers')
    expect(worker).toMatchObject({ policy: 'conntrack-night', mode: 'auto' })
    const open = (wall: string) => isOpen(worker?.windows ?? [], wall)
    // 2026-06-12 is a Friday; Berlin is two hours ahead of UTC then.
    expect(open('2026-06-12T17:59:00Z')).toBe(false)
    expect(open('2026-06-12T18:00:00Z')).toBe(true)
    expect(open('2026-06-14T12:00:00Z')).toBe(true)
    expect(open('2026-06-15T05:01:00Z')).toBe(false)
  })

  test('promotes pool by pool', () => {
    const mode = (pool?: string) => decided('Promote in stages', 'ConntrackAlmostFull', { pool })?.mode
    expect([mode('canary'), mode('web'), mode('other'), mode()]).toEqual(['auto', 'approve', 'suggest', 'suggest'])
  })

  test('leaves the control plane to people', () => {
    const mode = (role: string) => decided('Leave the control plane to people', 'PidsExhausted', { roles: [role] })
    expect(mode('control-plane')).toMatchObject({ policy: 'control-plane', mode: 'suggest' })
    expect(mode('worker')).toMatchObject({ policy: 'remediators.sysctl', mode: 'observe' })
  })
})
