/**
 * What `npm test` runs: the linter and the type checker, then every test suite, then a table of them. A failure makes it
 * exit 1, and so does a skipped test where CI=true.
 *
 *   npm test                     everything
 *   npm test -- mesh             only suites and test files whose name contains "mesh"
 *   npm test -- unit -t "1.5m"   only the tests there whose name matches
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, styleText } from 'node:util'
import { ExitCode } from '../common/errors.ts'
import { runCheck, runVitest, type SuiteResult } from './suite-run.ts'
import { CHECK, type Suite, TEST_SUITES } from './suites.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

process.exitCode = await main(process.argv.slice(2))

async function main(argv: string[]): Promise<number> {
  const wanted = parseWanted(argv)
  if (wanted === null) return ExitCode.usage
  // One seed for all suites, so that a failure anywhere is replayed with the one that was printed.
  process.env.STARLING_SEED ??= String(Math.floor(Math.random() * 2 ** 31))

  const results: SuiteResult[] = []
  if (wanted.patterns.length === 0 || wanted.patterns.includes(CHECK.name))
    results.push(announce(await runCheck(root, CHECK.budgetSeconds)))
  for (const suite of TEST_SUITES) {
    const files = testFiles(suite).filter((file) => isWanted(file, suite, wanted.patterns))
    if (files.length > 0) results.push(announce(await runVitest(root, suite, files, wanted.namePattern)))
  }
  if (results.length === 0) {
    process.stderr.write(`No suite and no test file has a name with ${wanted.patterns.join(' or ')} in it.\n`)
    return ExitCode.usage
  }
  return summarize(results)
}

function parseWanted(argv: string[]): { patterns: string[]; namePattern: string | undefined } | null {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: { testNamePattern: { type: 'string', short: 't' } },
    })
    return { patterns: positionals, namePattern: values.testNamePattern }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nUsage: npm test -- [NAME ...] [-t TEST-NAME]\n`)
    return null
  }
}

function testFiles(suite: Suite): string[] {
  return suite.dirs.flatMap((dir) => {
    const folder = join('test', dir)
    if (!existsSync(join(root, folder))) return []
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(folder, name))
  })
}

function isWanted(file: string, suite: Suite, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => suite.name === pattern || file.includes(pattern))
}

function announce(result: SuiteResult): SuiteResult {
  print(`\nsuite ${rowOf(result)}\n`)
  return result
}

function summarize(results: readonly SuiteResult[]): number {
  print('\nsuite         passed  failed  skipped   seconds   budget\n')
  for (const result of results) print(`${rowOf(result)}\n`)

  for (const { name, message } of results.flatMap((result) => result.failures))
    print(`\nfailed: ${name}\n${message.replace(/^/gm, '  ')}\n`)

  for (const { name, message } of results.flatMap((result) => result.unsteady))
    print(`\nunsteady, passed at the second try: ${name}\n${message.replace(/^/gm, '  ')}\n`)

  const skipped = results.flatMap((result) => result.skipped)
  const strict = process.env.CI === 'true'
  if (skipped.length > 0) print(`\nskipped${strict ? ', which counts as failed where CI=true' : ''}:\n`)
  for (const name of skipped) print(`  ${name}\n`)

  const passed = sum(results.map((result) => result.passed))
  const failed = sum(results.map((result) => result.failed))
  print(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
  return failed > 0 || (strict && skipped.length > 0) ? ExitCode.error : ExitCode.ok
}

function rowOf(result: SuiteResult): string {
  const over = result.seconds > result.budgetSeconds
  const seconds = result.seconds.toFixed(1).padStart(10)
  const failed = String(result.failed).padStart(8)
  return [
    result.name.padEnd(12),
    String(result.passed).padStart(8),
    result.failed > 0 ? styleText('red', failed, { stream: process.stdout }) : failed,
    String(result.skipped.length).padStart(9),
    over ? styleText('yellow', seconds, { stream: process.stdout }) : seconds,
    String(result.budgetSeconds).padStart(9),
    over ? '  over budget' : '',
  ].join('')
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0)
}

function print(text: string): void {
  process.stdout.write(text)
}
