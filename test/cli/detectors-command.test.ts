/** `starling detectors`, as a person runs it: on recorded hosts, and with plugins that load and that do not. */
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderDetectors } from '../../detectors/catalogue.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { fixtureRoot } from '../detectors/fixture-host.ts'
import { MAIN, starling } from '../e2e/starling.ts'

let folder: string
const plugin = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o644 })
const detectors = (...args: readonly string[]) => starling(['detectors', ...args, '--plugins', folder])

/** With `name`, `reason` and a `change` to the rest of it. */
const detectorText = (name: string, reason: string, change = '') => `
import { defineDetector, NotApplicable, z } from 'starling/detector'
export default defineDetector({
  name: '${name}', summary: 'Whether it is there.', every: '30s', timeout: '5s', needs: [],
  touches: { paths: ['/etc/thing'] },
  options: z.strictObject({ wanted: z.number().default(1).describe('How many.') }),
  reasons: { ${reason}: { severity: 'warn', summary: 'It is gone.', sustain: '1m', runbook: 'thing' } },
  async sample(host) { return await host.readInt('/etc/thing') },
  judge: (count, { wanted }) => count >= wanted ? [] : [{ reason: '${reason}', summary: \`\${count} left\`, evidence: [{ name: 'things', value: count, limit: wanted, unit: '' }] }],
  ${change}
})
`

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-plugins-'))
  plugin('thing.ts', detectorText('thing', 'ThingGone'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('starling detectors', () => {
  it('lists what ships and what plugins bring', async () => {
    const { stdout, code } = await detectors('list')
    expect(stdout).toMatch(/^disk-usage .* built in /m)
    expect(stdout).toMatch(/^thing .*thing\.ts /m)
    expect(code).toBe(0)
  })

  it.runIf(process.platform === 'linux')(
    'lists them within the width of a terminal, and all of it in a pipe',
    async () => {
      const command = `stty cols 80; ${process.execPath} ${MAIN} detectors list --plugins ${folder}`
      // script(1) gives it a terminal.
      const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'])
      const lines = stripVTControlCharacters(stdout).trimEnd().split('\r\n')
      expect(lines.length).toBe(builtinDetectors.length + 2)
      expect(lines.filter((line) => line.length > 80)).toEqual([])
      const piped = (await detectors('list')).stdout
      for (const { name, summary } of builtinDetectors) {
        expect(lines.some((line) => line.startsWith(`${name} `))).toBe(true)
        expect(piped).toContain(`${summary}\n`)
      }
    },
  )

  it('shows all about one, and names the nearest of one that there is not', async () => {
    const { stdout } = await detectors('show', 'conntrack')
    for (const part of ['/proc/sys/net/netfilter', 'ConntrackAlmostFull', 'warnRatio', '0.8']) {
      expect(stdout).toContain(part)
    }
    const unknown = await detectors('show', 'conntrak')
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('did you mean "conntrack"?')])
  })

  it.each([
    ['conntrack', 'bad', 3, 'ConntrackAlmostFull'],
    ['conntrack', 'not-applicable', 0, 'not-applicable'],
    ['conntrack', 'unreadable', 1, 'unknown'],
  ])('run %s on a recorded host that is %s ends with %d', async (name, fixture, code, said) => {
    const result = await detectors('run', name, '--host-root', fixtureRoot(`${name}/${fixture}`))
    expect([result.code, result.stdout]).toEqual([code, expect.stringContaining(said)])
  })

  it.each([
    ['conntrack', /░ 254280 of 262144 entries$/m],
    ['read-only-fs', / {2}errors_count {2}\d+ errors, against 0$/m],
  ])('says of %s how much of a limit, or against what', async (name, measure) => {
    expect((await detectors('run', name, '--host-root', fixtureRoot(`${name}/bad`))).stdout).toMatch(measure)
  })

  it('runs with options, and refuses wrong ones', async () => {
    const at = ['--host-root', fixtureRoot('conntrack/bad')]
    const { stdout, code } = await detectors(
      'run',
      'conntrack',
      ...at,
      '--options',
      'warnRatio=0.98',
      '--options',
      'alarmRatio=0.99',
    )
    expect([code, stdout]).toEqual([0, expect.stringContaining('254280')])
    const wrong = await detectors('run', 'conntrack', ...at, '--options', 'warnRatoi=1')
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "warnRatio"?')])
  })

  it('runs all, as JSON if wanted', async () => {
    const { stdout, code } = await detectors('run', '--all', '--host-root', fixtureRoot('conntrack/bad'), '-o', 'json')
    const { kind, items } = JSON.parse(stdout)
    expect([kind, code]).toEqual(['DetectorLook', 3])
    expect(items).toContainEqual(expect.objectContaining({ detector: 'conntrack', status: 'alarm' }))
    expect(items).toContainEqual(expect.objectContaining({ detector: 'thing', status: 'not-applicable' }))
  })

  it('asks for a detector or --all', async () => {
    expect((await detectors('run')).code).toBe(2)
  })
})

describe('plugins', () => {
  const root = () => {
    const host = join(folder, 'host')
    mkdirSync(join(host, 'etc'), { recursive: true })
    writeFileSync(join(host, 'host.json'), '{}')
    writeFileSync(join(host, 'etc/thing'), '0\n')
    return host
  }

  it('are looked with like any other', async () => {
    const { stdout, code } = await detectors('run', 'thing', '--host-root', root())
    expect([code, stdout]).toEqual([4, expect.stringContaining('ThingGone')])
  })

  it('may touch what they say and nothing else', async () => {
    plugin('nosy.ts', detectorText('nosy', 'NosyGone', "touches: { paths: ['/etc/other'] },"))
    const { stdout, code } = await detectors('run', 'nosy', '--host-root', root())
    expect([code, stdout]).toEqual([1, expect.stringContaining('/etc/thing is not among what it says')])
  })

  it('that do not load are named, each with its reason, and leave the others alone', async () => {
    const broken: readonly (readonly [string, string, RegExp])[] = [
      ['syntax.ts', 'export default {\n\n  x: (}', /: line 3: /],
      ['nothing.ts', 'export const x = 1', /neither a detector nor a remediator/],
      ['half.ts', 'export default { name: "half", sample() {}, judge() {} }', /detector half lacks summary/],
      ['bare.ts', detectorText('bare', 'BareGone', 'options: {},'), /detector bare: options must be a zod schema/],
      ['late.ts', detectorText('late', 'LateGone', "timeout: '5m',"), /timeout of 5m is longer than its interval/],
      [
        'key.ts',
        detectorText('key', 'KeyGone', "importence: 'vital',"),
        /key: unknown key "importence" \(did you mean "importance"\?\)/,
      ],
      [
        'reasonkey.ts',
        detectorText('reasonkey', 'ReasonkeyGone').replace('sustain:', 'sustian:'),
        /reasonkey: reasons.ReasonkeyGone: unknown key "sustian" \(did you mean "sustain"\?\)/,
      ],
      ['reads.ts', "import { readFileSync } from 'node:fs'\nexport default readFileSync", /may not import node:fs/],
      ['throws.ts', "throw new Error('no such luck')", /no such luck/],
      ['twice.ts', detectorText('disk-usage', 'TwiceGone'), /the name disk-usage is taken by Starling/],
      ['again.ts', detectorText('again', 'DiskAlmostFull'), /the reason DiskAlmostFull is taken by Starling/],
      ['ware.ts', "import 'starling/detectors'", /there is no starling\/detectors; there is starling\/detector,/],
    ]
    for (const [name, text] of broken) plugin(name, text)
    const { stdout, stderr, code } = await detectors('list')
    for (const [name] of broken) rmSync(join(folder, name))
    for (const [name, , why] of broken) {
      expect(stderr.split('\n').find((line) => line.includes(`/${name}: `))).toMatch(why)
    }
    expect(stdout).toMatch(/^thing /m)
    expect(code).toBe(0)
  })

  it('that do not load say why under their own name as well, with their path once', async () => {
    plugin('typo.yaml', 'name: typo\ncomand: [/bin/true]\ndialect: nagios\n')
    const listed = await detectors('list')
    const { code, stderr } = await detectors('run', 'typo')
    rmSync(join(folder, 'typo.yaml'))
    const file = join(folder, 'typo.yaml')
    const why = 'line 2: unknown key "comand" (did you mean "command"?)'
    expect(listed.stderr).toContain(`not loaded: ${file}: ${why}\n`)
    expect([code, stderr]).toEqual([2, `starling: ${file} was not loaded\n  ${why}\n`])
  })

  it.each([
    ['conntrack', '[conntrack](runbooks/conntrack.md)'],
    ['https://example.org/a', '<https://example.org/a>'],
    ['Have it replaced.', 'Have it replaced.'],
  ])('have a reference page with a runbook that is %s', (runbook, cell) => {
    const [detector] = builtinDetectors
    if (detector === undefined) throw new Error('there is no detector')
    const reasons = {
      ThingGone: { severity: 'warn' as const, summary: 'It is gone.', sustain: '1m' as const, runbook },
    }
    expect(renderDetectors([{ ...detector, reasons }])).toContain(`| It is gone. | ${cell} |`)
  })

  it('may be remediators, held to the same', async () => {
    plugin(
      'mend.ts',
      `import { defineRemediator, z } from 'starling/remediator'
      export const mend = defineRemediator({
        name: 'mend', summary: 'Puts the thing back.', handles: ['ThingGone'], reach: 'none', risk: 'low',
        reversible: true, touches: { writes: ['/etc/thing'] },
        options: z.strictObject({}), plan: () => null, async apply() {}, async revert() {},
      })`,
    )
    plugin('sysctl.ts', "export default { name: 'sysctl', handles: ['ThingGone'], plan() {} }")
    plugin('helper.ts', `export default { name: 'helper', summary: 'Mends.', handels: ['ThingGone'], plan() {} }`)
    const { stderr } = await detectors('list')
    for (const name of ['mend.ts', 'sysctl.ts', 'helper.ts']) rmSync(join(folder, name))
    expect(stderr).not.toContain('mend.ts')
    expect(stderr).toContain('sysctl.ts: remediator sysctl lacks summary')
    expect(stderr).toContain('helper.ts: remediator helper: unknown key "handels" (did you mean "handles"?)')
  })

  it.runIf(process.getuid?.() === 0)('of root are those that only root could write', async () => {
    plugin('open.ts', detectorText('open', 'OpenGone'))
    chmodSync(join(folder, 'open.ts'), 0o666)
    plugin('theirs.ts', detectorText('theirs', 'TheirsGone'))
    chownSync(join(folder, 'theirs.ts'), 65_534, 65_534)
    const real = mkdtempSync(join(tmpdir(), 'starling-linked-'))
    chmodSync(real, 0o777)
    writeFileSync(join(real, 'linked.ts'), detectorText('linked', 'LinkedGone'))
    symlinkSync(join(real, 'linked.ts'), join(folder, 'linked.ts'))
    const { stdout, stderr } = await detectors('list')
    expect(stderr).toMatch(/open\.ts can be written by others than root \(chmod go-w /)
    expect(stderr).toMatch(/theirs\.ts belongs to user 65534 \(chown root /)
    rmSync(real, { recursive: true })
    rmSync(join(folder, 'linked.ts'))
    expect(stderr).toMatch(/linked\.ts: \S+starling-linked-\S+ can be written by others than root/)
    expect(stdout).not.toMatch(/^(open|theirs|linked) /m)
  })

  it('come from npm packages too', async () => {
    const place = join(folder, 'node_modules', 'starling-thing')
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'package.json'), '{"name":"starling-thing","type":"module","exports":"./index.js"}')
    writeFileSync(join(place, 'index.js'), detectorText('packed', 'PackedGone'))
    const { stdout, stderr } = await detectors(
      'list',
      '--plugin-package',
      'starling-thing',
      '--plugin-package',
      'starling-none',
    )
    expect(stdout).toMatch(/^packed .*starling-thing /m)
    expect(stderr).toMatch(/starling-none: there is no package starling-none/)
  })
})
