/** The test suites, in the order in which they run. Each test folder belongs to exactly one; a tidy test sees to it. */

export interface Suite {
  readonly name: string
  /** Folders below test/. A folder that does not exist (yet) is left out. */
  readonly dirs: readonly string[]
  /** What it may take on two cores. Going over is shown, never a failure: machines differ. */
  readonly budgetSeconds: number
  /** Its files run one after the other in one process, and share what they start there. */
  readonly oneProcess?: boolean
  /** Of real processes, which a machine that others use can starve: with CI=true a failed test is tried once more. */
  readonly isReal?: boolean
}

/** Not a folder of tests: the linter, the formatter and the type checker. */
export const CHECK: Suite = { name: 'check', dirs: [], budgetSeconds: 60 }

export const TEST_SUITES: readonly Suite[] = [
  {
    name: 'pure',
    dirs: ['unit', 'tidy', 'mesh', 'detectors', 'remediators', 'settings', 'cli', 'kubernetes'],
    budgetSeconds: 180,
  },
  { name: 'page', dirs: ['aggregator', 'page'], budgetSeconds: 180 },
  { name: 'stores', dirs: ['stores'], budgetSeconds: 120, isReal: true },
  { name: 'processes', dirs: ['e2e'], budgetSeconds: 240, isReal: true },
  { name: 'namespaces', dirs: ['namespaces'], budgetSeconds: 180, isReal: true },
  // One after the other: a fault that one file makes on this machine must not be found by another's detector.
  { name: 'faults', dirs: ['faults'], budgetSeconds: 240, oneProcess: true, isReal: true },
  { name: 'control-plane', dirs: ['control-plane'], budgetSeconds: 300, oneProcess: true, isReal: true },
]

/** The suites that hold `file`, a path such as `test/unit/duration.test.ts`. One, unless the table above is wrong. */
export function suitesOf(file: string): readonly Suite[] {
  return TEST_SUITES.filter((suite) => suite.dirs.some((dir) => file.startsWith(`test/${dir}/`)))
}
