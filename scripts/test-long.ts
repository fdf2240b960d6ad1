/**
 * Runs the long suites, one after another: `npm run test:long -- [--hours H]`, so many hours for the
 * scenarios (1 unless told), ten minutes for the fuzzer, a silence of 300 s, all that befalls a leader and its writes, clusters of all small
 * sizes, 300 s of a node that only its peers cannot reach, a sick node under its kubelet's eyes. Each has a short cut in
 * `npm test`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ExitCode } from '../common/errors.ts'

const root = join(import.meta.dirname, '..')
const { hours } = parseArgs({ options: { hours: { type: 'string', default: '1' } } }).values

/** What Node is to run, and what it is told by its environment; 0 when all is well. */
const LONG_SUITES = [
  { name: 'scenarios', args: [join(import.meta.dirname, '../bench/sim/all.ts'), '--hours', hours], env: {} },
  {
    name: 'fuzzer',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/mesh/fuzzer.test.ts'],
    env: { STARLING_FUZZ_SECONDS: '600' },
  },
  {
    name: 'healing',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/namespaces/faults.test.ts'],
    env: { STARLING_SILENCE_SECONDS: '300' },
  },
  {
    name: 'leaders',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/control-plane/leadership.test.ts'],
    env: { STARLING_LEADERS: 'long' },
  },
  {
    name: 'sizes',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/control-plane/sizes.test.ts'],
    env: { STARLING_SIZES: 'long' },
  },
  {
    name: 'isolated',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/control-plane/marking.test.ts'],
    env: { STARLING_STEADY_SECONDS: '300' },
  },
  {
    name: 'kinds',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/control-plane/kinds.test.ts'],
    env: { STARLING_KINDS: 'long' },
  },
  {
    name: 'writes',
    args: [join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/control-plane/writes.test.ts'],
    env: { STARLING_WRITES: 'long' },
  },
]

const results = LONG_SUITES.map(({ name, args, env }) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, env: { ...process.env, ...env }, stdio: 'inherit' })
  return { name, ok: status === 0 }
})
for (const { name, ok } of results) process.stdout.write(`${name}: ${ok ? 'passed' : 'failed'}\n`)
process.exitCode = results.every(({ ok }) => ok) ? ExitCode.ok : ExitCode.error
