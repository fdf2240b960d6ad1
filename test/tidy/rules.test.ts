/** Each house rule, shown to fail on a small made-up file, so that a green test/tidy/tidy.test.ts means something. */
import { describe, expect, test } from 'vitest'
import { lockProblems, undeclared, undocumented, unpinned } from './dependencies.ts'
import { wrongDirections } from './directions.ts'
import { findCycles, findOrphans, loadedBy } from './graph.ts'
import { impurities } from './purity.ts'
import { readSource } from './source.ts'
import { LINES_MAX, machinePaths, silencedTests, tooLong, uncatalogued, unfinished } from './text.ts'

describe('reading a source file', () => {
  test('finds every form of import and tells types from values', () => {
    const text = `
      import a, { b } from './a.ts'
      import type { T } from './t.ts'
      import { type U } from './u.ts'
      import { type V, w } from './v.ts'
      import './side.ts'
      export * from './all.ts'
      export type { X } from './x.ts'
      const y = await import('./y.ts')
      let z: import('./z.ts').Z
      // import './comment.ts'
      const s = "import './string.ts'"`
    const imports = readSource('mesh/m.ts', text).imports.map((entry) => [entry.specifier, entry.typeOnly])
    expect(imports).toEqual([
      ['./a.ts', false],
      ['./t.ts', true],
      ['./u.ts', true],
      ['./v.ts', false],
      ['./side.ts', false],
      ['./all.ts', false],
      ['./x.ts', true],
      ['./y.ts', false],
      ['./z.ts', true],
    ])
  })

  test('finds names that are used, and no keys, members, comments or strings', () => {
    const names = readSource(
      'mesh/m.ts',
      'const a = { Date: 1, b: x.process, [fetch]: 2, console }\n// performance',
    ).names
    expect(names).toContain('fetch')
    expect(names).toContain('console')
    expect(names).toContain('x.process')
    for (const name of ['Date', 'process', 'performance']) expect(names).not.toContain(name)
  })

  test('finds programs that are started by their path', () => {
    const text = `spawn(new URL('../agent/main.ts', import.meta.url)); join(import.meta.dirname, 'child', 'x.ts'); new URL('/x', base)`
    expect(readSource('cli/up.ts', text).started).toEqual(['../agent/main.ts', 'child/x.ts'])
  })

  test('names a file that is no TypeScript', () => {
    expect(() => readSource('mesh/m.ts', 'const = 1')).toThrow(/^mesh\/m\.ts: /)
  })
})

describe('the directions of imports', () => {
  test.each([
    ['common/a.ts', "import '../mesh/core/ring.ts'"],
    ['mesh/core/a.ts', "import '../../common/duration.ts'"],
    ['mesh/libp2p/a.ts', "import type { Finding } from '../../detectors/contract.ts'"],
    ['detectors/a.ts', "import '../remediators/contract.ts'"],
    ['remediators/a.ts', "import '../detectors/engine/engine.ts'"],
    ['settings/a.ts', "import '../aggregator/model.ts'"],
    ['node-agent/a.ts', "import '../aggregator/model.ts'"],
    ['node-agent/a.ts', "import '../fixer/desk.ts'"],
    ['fixer/a.ts', "import '../node-agent/config.ts'"],
    ['aggregator/a.ts', "import '../node-agent/main.ts'"],
    ['aggregator/a.ts', "import '../detectors/conntrack.ts'"],
    ['aggregator/http/a.ts', "import '../web/src/api.ts'"],
    ['aggregator/web/src/a.ts', "import { limit } from '../../model.ts'"],
    ['aggregator/web/src/a.ts', "import type { Log } from '../../../common/log.ts'"],
    ['cli/a.ts', "import '../test/real-part.ts'"],
    ['scripts/a.ts', "import '../aggregator/model.ts'"],
    ['somewhere/a.ts', "import '../common/duration.ts'"],
  ])('forbid in %s: %s', (file, text) => {
    expect(wrongDirections(readSource(file, text))).toHaveLength(1)
  })

  test.each([
    ['detectors/a.ts', "import '../common/duration.ts'"],
    ['remediators/contract.ts', "import type { Finding } from '../detectors/contract.ts'"],
    ['node-agent/a.ts', "import '../settings/signed.ts'"],
    ['aggregator/a.ts', "import '../detectors/contract.ts'"],
    ['aggregator/web/src/a.ts', "import type { Event } from '../../model.ts'"],
    ['aggregator/web/src/a.ts', "import { say } from '../../../common/languages.ts'"],
    ['aggregator/web/src/a.ts', "import { COLUMN_TEXTS } from '../../../inspection/texts.ts'"],
    ['cli/a.ts', "import '../node-agent/main.ts'"],
    ['test/unit/a.ts', "import '../../node-agent/main.ts'"],
    ['mesh/core/a.ts', "import { encode } from 'cborg'"],
  ])('allow in %s: %s', (file, text) => {
    expect(wrongDirections(readSource(file, text))).toEqual([])
  })
})

describe('the graph of imports', () => {
  const source = (file: string, ...imports: string[]) =>
    readSource(file, imports.map((path) => `import '${path}'`).join('\n'))

  test('shows a cycle with everyone in it, once', () => {
    const cycle = [source('m/a.ts', './b.ts'), source('m/b.ts', './c/c.ts'), source('m/c/c.ts', '../a.ts', './d.ts')]
    expect(findCycles([...cycle, source('m/c/d.ts')])).toEqual(['m/a.ts -> m/b.ts -> m/c/c.ts -> m/a.ts'])
    expect(findCycles([source('m/a.ts', './b.ts', './c.ts'), source('m/b.ts', './c.ts'), source('m/c.ts')])).toEqual([])
  })

  test('shows a file that nothing leads to, even when others like it use it', () => {
    const files = [
      source('cli/main.ts', '../m/a.ts'),
      source('m/a.ts'),
      source('m/lost.ts', './also-lost.ts'),
      source('m/also-lost.ts'),
    ]
    expect(findOrphans(files, (file) => file === 'cli/main.ts')).toEqual(['m/lost.ts', 'm/also-lost.ts'])
  })

  test('follows a program that is started', () => {
    const starter = readSource('cli/main.ts', "new URL('../m/child.ts', import.meta.url)")
    expect(findOrphans([starter, source('m/child.ts')], (file) => file === 'cli/main.ts')).toEqual([])
  })

  test('shows the way to what is loaded, now or later, and passes over types', () => {
    const later = readSource('m/a.ts', "const { b } = await import('./b.ts')\nimport type { C } from './c.ts'")
    const loaded = loadedBy(
      [source('cli/main.ts', '../m/a.ts'), later, source('m/b.ts', 'pg', './a.ts')],
      ['cli/main.ts'],
    )
    expect([...loaded.keys()]).toEqual(['cli/main.ts', 'm/a.ts', 'm/b.ts', 'pg'])
    expect(loaded.get('pg')).toBe('cli/main.ts -> m/a.ts -> m/b.ts -> pg')
  })
})

describe('purity', () => {
  test.each([
    'const at = Date.now()',
    'const at = performance.now()',
    'setTimeout(() => {}, 5)',
    'const luck = Math.random()',
    'const home = process.env.HOME',
    "const page = fetch('http://x')",
    'const id = globalThis.crypto.randomUUID()',
    "import { readFileSync } from 'node:fs'",
    "import { createHash } from 'node:crypto'",
    "import { pino } from 'pino'",
    "import { transport } from '../libp2p/transport.ts'",
    "const fs = await import('node:fs')",
  ])('forbids in a rule: %s', (text) => {
    expect(impurities(readSource('mesh/core/rule.ts', text))).not.toEqual([])
  })

  test('allows types of the outside, pure packages and a parameter that is handed in', () => {
    const text = `
      import type { Socket } from 'node:net'
      import { encode } from 'cborg'
      import { size } from './ring.ts'
      export const rule = (nowMs: number, clock: { now(): number }) => clock.now() - nowMs + Math.floor(0.5)`
    expect(impurities(readSource('mesh/core/rule.ts', text))).toEqual([])
  })

  test('leaves adapters alone', () => {
    expect(impurities(readSource('detectors/engine/clock.ts', "import 'node:fs'\nDate.now()"))).toEqual([])
    expect(impurities(readSource('detectors/conntrack.ts', "import 'node:fs'"))).toHaveLength(1)
  })
})

describe('packages', () => {
  const manifest = { dependencies: { zod: '4.6.7' }, devDependencies: { vite: '8.3.8' } }

  test.each(['^4.6.7', '~4.6.7', '*', '4.x', 'latest', 'file:../zod'])('must not be asked for as %s', (version) => {
    expect(unpinned({ dependencies: { zod: version } })).toHaveLength(1)
    expect(unpinned(manifest)).toEqual([])
  })

  test('and their table must agree', () => {
    const row = (name: string, why = 'because', others = 'ajv') => `| \`${name}\` | ${why} | ${others} |\n`
    expect(undocumented(manifest, row('zod') + row('vite'))).toEqual([])
    expect(undocumented(manifest, row('zod'))).toEqual(['vite has no row'])
    expect(undocumented(manifest, row('zod') + row('vite') + row('left-pad'))).toEqual([
      'left-pad has a row but is not used',
    ])
    expect(undocumented(manifest, row('zod') + row('vite', ' '))).toEqual(['vite has an empty cell'])
  })

  test('must be ours where they are imported, and there at run time', () => {
    const problems = (file: string, text: string) => undeclared(readSource(file, text), manifest)
    expect(problems('mesh/a.ts', "import { x } from 'ms/deep'")).toHaveLength(1)
    expect(problems('mesh/a.ts', "import { x } from '@noble/curves/p256'")).toHaveLength(1)
    expect(problems('cli/a.ts', "import { x } from 'vite'")).toHaveLength(1)
    expect(problems('test/unit/a.ts', "import { x } from 'vite'")).toEqual([])
    expect(problems('mesh/a.ts', "import { x } from 'zod/v4'\nimport 'node:fs'")).toEqual([])
  })

  test('must be installable from the lock file anywhere', () => {
    const entry = { optionalDependencies: { '@b/cli-darwin': '1.0.0' } }
    expect(lockProblems({ packages: { 'node_modules/b': entry } })).toHaveLength(1)
    expect(lockProblems({ packages: { 'node_modules/b': entry, 'node_modules/@b/cli-darwin': {} } })).toEqual([])
    expect(lockProblems({ packages: { 'node_modules/b': { resolved: 'https://mirror/b.tgz' } } })).toHaveLength(1)
  })
})

describe('texts', () => {
  test('must be short', () => {
    expect(tooLong('a.ts', 'x\n'.repeat(LINES_MAX))).toEqual([])
    expect(tooLong('a.ts', 'x\n'.repeat(LINES_MAX + 1))).toHaveLength(1)
  })

  test('must be finished', () => {
    for (const word of ['TO-DO', 'FIX-ME'])
      expect(unfinished('a.ts', `// ${word.replace('-', '')}: later`)).toHaveLength(1)
    expect(unfinished('a.md', 'what there is left to do')).toEqual([])
  })

  test('must not name a place on one machine', () => {
    const place = (top: string) => `/${top}/someone/project`
    for (const top of ['home', 'root', 'work', 'Users'])
      expect(machinePaths('a.md', `see ${place(top)}`)).toHaveLength(1)
    expect(machinePaths('a.md', 'read /proc/1/root/etc/hosts, /host/root/x and https://x.org/work/y')).toEqual([])
  })

  test.each([
    '<p>None is open.</p>',
    '<p>{count} nodes</p>',
    '<svg aria-label="who sees it" />',
    '<b title={`events of it`} />',
  ])('of the page must stand in a catalogue, unlike in %s', (markup) => {
    expect(uncatalogued(readSource('aggregator/web/src/a.tsx', `const a = ${markup}`))).toHaveLength(1)
  })

  test('of the page may be names, commands, values and signs', () => {
    const markup =
      '<p class="aside"><b>Starling</b> · <code>starling up</code> {said}: {say(TEXT)} <i title={said} lang="en" /></p>'
    expect(uncatalogued(readSource('aggregator/web/src/a.tsx', `const a = ${markup}`))).toEqual([])
  })

  test('must not silence tests', () => {
    for (const call of ['test.only', 'describe.skip', 'it.todo'])
      expect(silencedTests(readSource('test/unit/a.test.ts', `${call}('x', () => {})`))).toHaveLength(1)
    expect(silencedTests(readSource('test/unit/a.test.ts', 'list.skip(3)'))).toEqual([])
  })
})
