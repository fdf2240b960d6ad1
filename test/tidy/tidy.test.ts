/** The house rules, held against every file of the repository. test/tidy/rules.test.ts shows that each rule can fail. */
import { describe, expect, test } from 'vitest'
import { suitesOf } from '../../scripts/suites.ts'
import { type LockFile, lockProblems, type Manifest, undeclared, undocumented, unpinned } from './dependencies.ts'
import { wrongDirections } from './directions.ts'
import { findCycles, findOrphans, loadedBy, packageOf } from './graph.ts'
import { impurities, isPure } from './purity.ts'
import { machinePaths, silencedTests, tooLong, uncatalogued, unfinished } from './text.ts'
import { files, isFixture, readText, sources } from './tree.ts'

const manifest = JSON.parse(readText('package.json')) as Manifest
const own = files.filter((file) => !(isFixture(file) || file === 'package-lock.json'))

/** Where a person, npm, a browser or the test runner starts. */
const ENTRANCES = [
  'cli/main.ts',
  'bench/main.ts',
  'aggregator/web/src/main.tsx',
  'test/setup-seed.ts',
  'test/leave-nothing.ts',
]

/** What an agent must do without, since each takes megabytes of every node: of `node:http` see common/node-http.ts. */
const TOO_MUCH_FOR_AGENTS = [
  '@fastify/rate-limit',
  '@fastify/static',
  '@kubernetes/client-node',
  'fast-check',
  'fastify',
  'nodemailer',
  'pg',
  'node:http',
  'node:sqlite',
  'node:test',
]

function isEntrance(file: string): boolean {
  return (
    ENTRANCES.includes(file) || /^scripts\/[^/]+\.ts$|\.test\.ts$|(?:^|\/)vite(?:st)?\.config\.ts$|\.d\.ts$/.test(file)
  )
}

describe('source files', () => {
  test('are found at all', () => {
    expect(sources.length).toBeGreaterThan(20)
    expect(sources.filter((source) => isPure(source.file)).length).toBeGreaterThan(20)
  })

  test('import only in the one direction', () => {
    expect(sources.flatMap(wrongDirections)).toEqual([])
  })

  test('do not import each other in circles', () => {
    expect(findCycles(sources)).toEqual([])
  })

  test('that hold rules touch no clock, timer, chance or device', () => {
    expect(sources.flatMap(impurities)).toEqual([])
  })

  test('are all used', () => {
    expect(findOrphans(sources, isEntrance)).toEqual([])
  })

  test('of an agent load nothing that it has no use for', () => {
    // Which loads but the one command that it is asked for.
    const others = sources.filter(({ file }) => file !== 'cli/commands/index.ts')
    const loaded = loadedBy(others, ['cli/main.ts', 'cli/commands/agent.ts'])
    expect(loaded.get('mesh/libp2p/transport.ts')).toContain('node-agent/agent.ts')
    const tooMuch = [...loaded].filter(([name]) => TOO_MUCH_FOR_AGENTS.includes(packageOf(name) ?? name))
    expect(tooMuch.map(([, way]) => way)).toEqual([])
  })

  test('are short', () => {
    const code = own.filter((file) => /\.(?:tsx?|mjs)$/.test(file))
    expect(code.flatMap((file) => tooLong(file, readText(file)))).toEqual([])
  })
})

describe('tests', () => {
  test('are not silenced', () => {
    expect(sources.flatMap(silencedTests)).toEqual([])
  })

  test('belong to exactly one suite, so that npm test runs each', () => {
    const astray = files.filter((file) => file.endsWith('.test.ts') && suitesOf(file).length !== 1)
    expect(astray).toEqual([])
  })
})

describe('packages', () => {
  test('are pinned to one version', () => {
    expect(unpinned(manifest)).toEqual([])
  })

  test('are explained in docs/dependencies.md', () => {
    expect(undocumented(manifest, readText('docs/dependencies.md'))).toEqual([])
  })

  test('are declared by us where we import them', () => {
    expect(sources.flatMap((source) => undeclared(source, manifest))).toEqual([])
  })

  test('can be installed from the lock file on any machine', () => {
    expect(lockProblems(JSON.parse(readText('package-lock.json')) as LockFile)).toEqual([])
  })
})

describe('texts', () => {
  test('leave nothing unfinished', () => {
    expect(own.flatMap((file) => unfinished(file, readText(file)))).toEqual([])
  })

  test('of the page stand in its catalogues, in every language', () => {
    expect(sources.flatMap(uncatalogued)).toEqual([])
  })

  test('name no path of one machine', () => {
    expect(own.flatMap((file) => machinePaths(file, readText(file)))).toEqual([])
  })
})
