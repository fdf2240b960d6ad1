/**
 * Runs the long suites, one after another: `npm run test:long -- [--hours H]`, so many hours for the
 * scenarios (1 unless told), ten minutes for the fuzzer, a silence of 300 s, all that befalls a leader and its writes, clusters of all small
 * sizes, 300 s of a node that only its peers cannot reach, a sick node under its kubelet's eyes, 1,000 days of
 * remediation. Each has a short cut in `npm test`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ExitCode } from '../common/errors.ts'

const root = join(import.meta.dirname, '..')
const { hours } = parseArgs({ options: { hours: { type: 'string', default: '1' } } }).values

interface LongSuite {
  readonly name: string
  /** What Node is to run, and what it is told by its environment; 0 when all is well. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

function testFile(name: string, file: string, env: NodeJS.ProcessEnv): LongSuite {
  return { name, args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', file], env }
}

const LONG_SUITES: readonly LongSuite[] = [
  { name: 'scenarios', args: [join(import.meta.dirname, '../bench/sim/all.ts'), '--hours', hours], env: {} },
  testFile('fuzzer', 'test/mesh/fuzzer.test.ts', { STARLING_FUZZ_SECONDS: '600' }),
  testFile('healing', 'test/namespaces/faults.test.ts', { STARLING_SILENCE_SECONDS: '300' }),
  testFile('leaders', 'test/control-plane/leadership.test.ts', { STARLING_LEADERS: 'long' }),
  testFile('sizes', 'test/control-plane/sizes.test.ts', { STARLING_SIZES: 'long' }),
  testFile('isolated', 'test/control-plane/marking.test.ts', { STARLING_STEADY_SECONDS: '300' }),
  testFile('kinds', 'test/control-plane/kinds.test.ts', { STARLING_KINDS: 'long' }),
  testFile('remediation', 'test/remediators/sim.test.ts', { STARLING_REMEDIATION_DAYS: '1000' }),
  testFile('writes', 'test/control-plane/writes.test.ts', { STARLING_WRITES: 'long' }),
]

const results = LONG_SUITES.map(({ name, args, env }) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' })
  return { name, ok: status === 0 }
})
for (const { name, ok } of results) process.stdout.write(`${name}: ${ok ? 'passed' : 'failed'}\n`)
process.exitCode = results.every(({ ok }) => ok) ? ExitCode.ok : ExitCode.error
