/**
 * A real Kubernetes control plane and a real cadvisor for the tests: built once per machine from Debian's source package, by
 * one set-up at a time. Needs no root, and leaves the machine's own packages and package lists as they are.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError } from './command.mjs'
import { cadvisorCache, KUBERNETES_VERSION, kubernetesCache } from './kubernetes-cache.mjs'
import { say } from './progress.mjs'

const programOf = (name) => fileURLToPath(new URL(name, import.meta.url))

/** flock's own, for a lock that somebody else holds. */
const EXIT_TAKEN = 75

/**
 * Makes sure of the folder that kubernetesFolder() names. Returns whether it had to do anything. Where it cannot be had
 * the reader is told what is missing; with CI=true that throws SetupError.
 */
export function ensureKubernetes(build = programOf('./kubernetes-build.mjs'), release = RELEASE) {
  if (process.env.KUBEBUILDER_ASSETS) return Promise.resolve(false)
  const name = `Kubernetes ${KUBERNETES_VERSION}`
  const remedy = 'Or set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd; CONTRIBUTING.md says what is run.'
  const needed = { what: 'Kubernetes', tests: 'tests on a real control plane', remedy }
  return ensureBuilt({ ...needed, name, folder: kubernetesCache(), build, release })
}

/** The same for the program that cadvisorFile() names. */
export function ensureCadvisor(build = programOf('./cadvisor-build.mjs'), release = RELEASE) {
  if (process.env.CADVISOR) return Promise.resolve(false)
  const remedy = 'Or set CADVISOR to the program of a release of cadvisor.'
  const needed = { what: 'cadvisor', tests: 'tests on a real cadvisor', remedy }
  return ensureBuilt({ ...needed, name: 'cadvisor', folder: cadvisorCache(), build, release })
}

const RELEASE = '/etc/os-release'

async function ensureBuilt(wanted) {
  const { what, tests, remedy, folder, release } = wanted
  if (existsSync(folder)) return false
  try {
    if (!isBookworm(release)) throw new SetupError(`${what} is built from a source package of Debian 12`, remedy)
    await buildUnderLock(wanted)
  } catch (error) {
    // As in debian-packages.mjs: the other suites still say something worth hearing.
    if (process.env.CI === 'true' || !(error instanceof SetupError)) throw error
    say(`${error.message}: ${tests} are skipped by name`)
    say(error.remedy)
  }
  return true
}

/** The lock is the kernel's, so it ends with whoever holds it. */
async function buildUnderLock({ name, build, folder, remedy }) {
  mkdirSync(dirname(folder), { recursive: true })
  const lock = `${folder}.lock`
  const command = [process.execPath, build, folder]
  let code = await runInSight('flock', ['--nonblock', '--conflict-exit-code', String(EXIT_TAKEN), lock, ...command])
  if (code === EXIT_TAKEN) {
    say(`another set-up is building ${name}; waiting for it`)
    code = await runInSight('flock', [lock, ...command])
  }
  if (code !== 0) throw new SetupError(`${name} could not be built (exit code ${code})`, remedy)
}

/** What it writes goes straight to the reader. Resolves with its exit code, 127 when it cannot be started. */
async function runInSight(command, args) {
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    const [code] = await once(child, 'close')
    return code ?? 1
  } catch {
    return 127
  }
}

function isBookworm(release) {
  if (!existsSync(release)) return false
  const text = readFileSync(release, 'utf8')
  return /^ID="?debian"?$/m.test(text) && /^VERSION_CODENAME="?bookworm"?$/m.test(text)
}
