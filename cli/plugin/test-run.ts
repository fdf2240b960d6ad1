/** `starling plugin test`: the conformance suite and the author's own tests, one line each. */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { run } from 'node:test'
import { styleText } from 'node:util'
import { messageOf, UsageError } from '../../common/errors.ts'
import type { Detector } from '../../detectors/contract.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { isPluginFile, loadPluginFile, refuseTaken } from '../../plugins/load.ts'
import { useStarlingImports } from '../../plugins/modules.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { printable } from '../text.ts'

/** Where a line of a report goes. */
export type Tell = (line: string) => void

export interface Tally {
  readonly passed: number
  readonly failed: number
}

/** A test that goes on for longer has failed; the runner's own default is never. */
const TEST_WITHIN_MS = 30_000

const NOTHING: Tally = { passed: 0, failed: 0 }

/** The plugins in `folder`. Throws a UsageError when there is none. */
export function pluginsIn(folder: string): readonly string[] {
  const files = readdirSync(folder)
    .filter(isPluginFile)
    .toSorted()
    .map((name) => join(folder, name))
  if (files.length === 0) {
    throw new UsageError(`there is no plugin in ${resolve(folder)}`, 'starling plugin new NAME makes one')
  }
  return files
}

/** Everything of one plugin: that it loads, that its detectors conform, and the tests beside it. */
export async function testPlugin(file: string, seed: number, tell: Tell): Promise<Tally> {
  tell(styleText('bold', basename(file), { stream: process.stdout }))
  const loading = await attempt('loads, under names that are not taken', tell, async () => {
    const plugin = await loadPluginFile(resolve(file))
    refuseTaken(plugin, { detectors: builtinDetectors, remediators: builtinRemediators }, [])
    return plugin
  })
  if (loading.value === undefined) return loading.tally
  let tally = loading.tally
  for (const detector of loading.value.detectors) tally = add(tally, await conform(detector, file, seed, tell))
  const tests = join(dirname(file), `${basename(file, extname(file))}.test.ts`)
  if (!existsSync(tests)) {
    tell(styleText('dim', `  there is no ${basename(tests)}`, { stream: process.stdout }))
    return tally
  }
  return add(tally, await runTests(resolve(tests), tell))
}

async function conform(detector: Detector, file: string, seed: number, tell: Tell): Promise<Tally> {
  // Only here: with what makes up random input it takes a while to load, which no agent needs.
  const { conformance } = await import('../../detectors/testing/conformance.ts')
  const folder = join(dirname(resolve(file)), 'fixtures', detector.name)
  let tally = NOTHING
  for (const { name, run: check } of conformance(detector, folder, { seed })) {
    tally = add(tally, (await attempt(name, tell, check)).tally)
  }
  return tally
}

async function attempt<T>(name: string, tell: Tell, work: () => Promise<T>): Promise<{ tally: Tally; value?: T }> {
  try {
    const value = await work()
    tell(passLine(name))
    return { tally: { passed: 1, failed: 0 }, value }
  } catch (error) {
    tell(failLine(name, whyOf(error)))
    return { tally: { passed: 0, failed: 1 } }
  }
}

/** The tests of `file` in this process, where `starling/…` can be imported. */
async function runTests(file: string, tell: Tell): Promise<Tally> {
  useStarlingImports()
  let tally = NOTHING
  for await (const event of run({ files: [file], isolation: 'none', timeout: TEST_WITHIN_MS })) {
    if (event.type === 'test:pass' && event.data.details.type !== 'suite') {
      tell(passLine(event.data.name))
      tally = add(tally, { passed: 1, failed: 0 })
    }
    if (event.type === 'test:fail' && event.data.details.type !== 'suite') {
      const { error } = event.data.details
      tell(failLine(event.data.name, whyOf(error.cause ?? error)))
      tally = add(tally, { passed: 0, failed: 1 })
    }
  }
  // A test that fails sets it; what this command ends with is its own to say.
  process.exitCode = 0
  return tally
}

export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed }
}

function passLine(name: string): string {
  return `  ${styleText('green', '✔', { stream: process.stdout })} ${printable(name)}`
}

function failLine(name: string, why: string): string {
  const mark = styleText('red', '✖', { stream: process.stdout })
  return `  ${mark} ${printable(name)}\n${why.replaceAll(/^/gm, '      ')}`
}

function whyOf(error: unknown): string {
  const remedy = error instanceof UsageError && error.remedy !== undefined ? `\n${error.remedy}` : ''
  const lines = `${messageOf(error)}${remedy}`.split('\n').filter((line) => line.trim() !== '')
  return lines.slice(0, 12).map(printable).join('\n')
}
