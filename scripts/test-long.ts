/**
 * Runs the long suites, one after another: `npm run test:long -- [--hours H]`, so many hours for each (1 unless told). Each has
 * a short cut with a fixed seed in `npm test`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ExitCode } from '../common/errors.ts'

/** Programs that take `--hours` and end with 0 when all is well. */
const LONG_SUITES = [{ name: 'scenarios', program: join(import.meta.dirname, '../bench/sim/all.ts') }]

const { hours } = parseArgs({ options: { hours: { type: 'string', default: '1' } } }).values
const results = LONG_SUITES.map(({ name, program }) => {
  const { status } = spawnSync(process.execPath, [program, '--hours', hours], { stdio: 'inherit' })
  return { name, ok: status === 0 }
})
for (const { name, ok } of results) process.stdout.write(`${name}: ${ok ? 'passed' : 'failed'}\n`)
process.exitCode = results.every(({ ok }) => ok) ? ExitCode.ok : ExitCode.error
