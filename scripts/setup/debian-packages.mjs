/** The programs that some tests need. As root on Debian they are installed; elsewhere the reader is told. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { say, withProgress } from './progress.mjs'

/** Makes sure of every program in scripts/debian-packages.json. Returns whether it had to do anything. */
export async function ensureTestPrograms(root) {
  const wanted = JSON.parse(readFileSync(join(root, 'scripts', 'debian-packages.json'), 'utf8'))
  const missing = wanted.filter((entry) => !isOnPath(entry.command))
  if (missing.length === 0) return false
  if (!isRootOnDebian()) {
    tellWhatIsSkipped(missing)
    return true
  }
  try {
    await withProgress(`installing Debian packages ${names(missing)} (once)`, () => install(missing))
  } catch (error) {
    // Without them the other suites still say something worth hearing; in CI a skipped suite is a failure.
    if (process.env.CI === 'true' || !(error instanceof SetupError)) throw error
    say(error.message)
    tellWhatIsSkipped(missing)
  }
  return true
}

async function install(missing) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const packages = missing.map((entry) => entry.package)
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', ...packages]]) {
    const result = await run('apt-get', ['--quiet', ...args], { env })
    if (result.code !== 0)
      throw new SetupError(
        `apt-get ${args[0]} failed (exit code ${result.code}):\n${result.excerpt}`,
        `Install ${packages.join(', ')} yourself, then run the same command again.`,
      )
  }
}

function tellWhatIsSkipped(missing) {
  for (const entry of missing) say(`${entry.command} is missing (${entry.why}): those tests are skipped by name`)
  say(`as root on Debian: apt-get install ${names(missing)}`)
}

function isRootOnDebian() {
  const release = '/etc/os-release'
  return process.getuid?.() === 0 && existsSync(release) && /^ID="?debian"?$/m.test(readFileSync(release, 'utf8'))
}

/** /usr/sbin is not on everyone's PATH, though its programs can be run by their full name. */
function isOnPath(command) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function names(entries) {
  return entries.map((entry) => entry.package).join(' ')
}
