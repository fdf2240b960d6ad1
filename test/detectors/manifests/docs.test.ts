import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../detectors/manifests/dialects/json.ts'
import { readPluginManifest } from '../../../detectors/manifests/manifest.ts'
import { readRemediatorManifest } from '../../../plugins/remediator-manifest.ts'

const text = readFileSync(new URL('../../../docs/plugins.md', import.meta.url), 'utf8')
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block = '']) => block)

describe('docs/plugins.md', () => {
  it('shows manifests that work, one of each dialect', () => {
    const manifests = blocks('yaml').filter((manifest) => !manifest.startsWith('kind: remediator'))
    expect(manifests).toHaveLength(5)
    for (const manifest of manifests) expect(() => readPluginManifest(manifest, 'docs/plugins.md')).not.toThrow()
    for (const dialect of ['npd', 'nagios', 'json', 'textfile', 'log']) {
      expect(manifests.filter((manifest) => manifest.includes(`dialect: ${dialect}`))).toHaveLength(1)
    }
    const log = manifests.find((manifest) => manifest.includes('dialect: log')) ?? ''
    for (const source of log.matchAll(/^# (source: .*)$/gm)) {
      const other = log.replace(/^source: .*$/m, source[1] ?? '')
      expect(() => readPluginManifest(other, 'docs/plugins.md')).not.toThrow()
    }
  })

  it('shows a remediator that works', () => {
    const [manifest = ''] = blocks('yaml').filter((text) => text.startsWith('kind: remediator'))
    expect(readRemediatorManifest(manifest, 'docs/plugins.md').handles).toEqual(['FanStopped'])
  })

  it('shows an answer that is understood', () => {
    const [answer = ''] = blocks('json')
    const results = parseJson({ code: 0, signal: null, stdout: answer, stderr: '', truncated: false })
    expect(results.map(({ state }) => state)).toEqual(['FanStopped', 'ok'])
  })
})
