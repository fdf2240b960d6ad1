/** Runs one suite and counts. Its output goes straight to the reader; the counts come from a report in a file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Suite } from './suites.ts'

export interface SuiteResult {
  readonly name: string
  readonly passed: number
  readonly failed: number
  /** What failed, in the order in which it did: where only the end of a long output is kept, this is what is read. */
  readonly failures: readonly Failure[]
  /** What passed at the second try only, with what the first one said: to be looked into, and no reason to stop. */
  readonly unsteady: readonly Failure[]
  /** Names of the tests that did not run. */
  readonly skipped: readonly string[]
  readonly seconds: number
  readonly budgetSeconds: number
}

export interface Failure {
  /** The test's full name, or the file's where none of its tests could run. */
  readonly name: string
  /** The first lines of what it said. */
  readonly message: string
}

/** Enough for an assertion with a condition that never came true and what was seen last; not a whole page's text. */
const MESSAGE_LINES = 12
const MESSAGE_CHARACTERS = 1_500

/** What is read of vitest's JSON report. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: readonly TestReport[]
  }[]
}

interface TestReport {
  readonly status: string
  readonly fullName: string
  readonly failureMessages?: readonly string[]
}

/** Biome and the TypeScript compiler side by side; each counts as one test, and speaks only when it fails. */
export async function runCheck(root: string, budgetSeconds: number): Promise<SuiteResult> {
  const startedAt = performance.now()
  const bin = (name: string) => join(root, 'node_modules', '.bin', name)
  const codes = await Promise.all([
    runQuietly(root, bin('biome'), ['check', '.']),
    runQuietly(root, bin('tsc'), ['--noEmit']),
  ])
  const failed = codes.filter((code) => code !== 0).length
  return {
    name: 'check',
    passed: codes.length - failed,
    failed,
    failures: [],
    unsteady: [],
    skipped: [],
    seconds: secondsSince(startedAt),
    budgetSeconds,
  }
}

/** Runs the given test files; `namePattern` narrows them down to the tests whose names match. */
export async function runVitest(
  root: string,
  suite: Pick<Suite, 'name' | 'budgetSeconds' | 'oneProcess' | 'isReal'>,
  files: readonly string[],
  namePattern: string | undefined,
): Promise<SuiteResult> {
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'starling-test-'))
  const reportFile = join(folder, 'report.json')
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
    if (suite.oneProcess === true) args.push('--no-isolate', '--no-file-parallelism')
    // Left to itself vitest keeps a processor free, which of two is half; real processes need it.
    else if (suite.isReal !== true) args.push(`--maxWorkers=${availableParallelism()}`)
    if (suite.isReal === true && process.env.CI === 'true') args.push('--retry=1')
    if (namePattern !== undefined) args.push('--testNamePattern', namePattern)
    const child = spawn(process.execPath, [vitest, ...args, ...files], { cwd: root, stdio: 'inherit' })
    const code = await exitCode(child)
    const report = existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport) : null
    const counts = countReport(report, code, namePattern !== undefined)
    return { name: suite.name, ...counts, seconds: secondsSince(startedAt), budgetSeconds: suite.budgetSeconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Counts one report. A file that failed to load, a report that is missing and an exit code that no failed test
 * explains (an unhandled error) count as one failure each. With `narrowed`, tests left out by name are not skipped ones.
 */
export function countReport(
  report: VitestReport | null,
  exitCode: number,
  narrowed: boolean,
): Pick<SuiteResult, 'passed' | 'failed' | 'failures' | 'unsteady' | 'skipped'> {
  const files = report?.testResults ?? []
  const tests = files.flatMap((file) => file.assertionResults)
  const brokenFiles = files.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const passed = tests.filter((test) => test.status === 'passed')
  const failedTests = tests.filter((test) => test.status === 'failed')
  const failed = failedTests.length + brokenFiles.length
  const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed')
  return {
    passed: passed.length,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    failures: [
      ...failedTests.map(whatItSaid),
      ...brokenFiles.map((file) => ({ name: file.name, message: beginning(file.message ?? '') })),
    ],
    // Kept from the try before.
    unsteady: passed.filter(({ failureMessages = [] }) => failureMessages.length > 0).map(whatItSaid),
    skipped: narrowed ? [] : skipped.map((test) => test.fullName),
  }
}

function whatItSaid({ fullName, failureMessages = [] }: TestReport): Failure {
  return { name: fullName, message: beginning(failureMessages.join('\n')) }
}

function beginning(message: string): string {
  const lines = stripVTControlCharacters(message).split('\n').slice(0, MESSAGE_LINES)
  return lines.join('\n').slice(0, MESSAGE_CHARACTERS)
}

async function runQuietly(root: string, command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  const code = await exitCode(child)
  if (code !== 0) process.stderr.write(output)
  return code
}

async function exitCode(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000
}
