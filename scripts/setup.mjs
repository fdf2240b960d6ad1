/**
 * Makes a fresh checkout ready for `npm start` and `npm test`, which run it first. Only Node's own modules, and only
 * what Node 20 knows, since nothing is installed yet. Each step finds out quickly that it has nothing to do.
 *
 * node scripts/setup.mjs start|test
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildPage, buildProgram } from './setup/builds.mjs'
import { SetupError } from './setup/command.mjs'
import { ensureTestPrograms } from './setup/debian-packages.mjs'
import { ensureCadvisor, ensureKubernetes } from './setup/kubernetes.mjs'
import { ensureMachine } from './setup/machine.mjs'
import { findNode, installPackages } from './setup/npm-packages.mjs'
import { say } from './setup/progress.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const mode = process.argv[2]

try {
  await setUp()
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(`error: ${error.message}`)
  say(error.remedy)
  process.exitCode = 1
}

async function setUp() {
  const startedAt = performance.now()
  if (mode !== 'start' && mode !== 'test')
    throw new SetupError(`unknown mode "${mode ?? ''}"`, 'Usage: node scripts/setup.mjs start|test')
  if (process.platform === 'win32')
    throw new SetupError('Starling does not run on Windows', 'Use Linux, macOS or the Windows Subsystem for Linux.')

  const installed = await installPackages(root)
  const node = await findNode(root)
  const page = await buildPage(root, node)
  const program = await buildProgram(root, node)
  const fetched = mode === 'test' && (await ensureTestPrograms(root))
  const kubernetes = mode === 'test' && (await ensureKubernetes())
  const cadvisor = mode === 'test' && (await ensureCadvisor())
  const machine = mode === 'test' && (await ensureMachine())

  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  const anything = installed || page || program || fetched || kubernetes || cadvisor || machine
  say(`ready in ${seconds} s${anything ? '' : ', everything was up to date'}`)
}
