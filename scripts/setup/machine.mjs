/**
 * What the tests' virtual machine is made of: a kernel, busybox and a time daemon of Debian, unpacked once per machine into
 * a cache folder. Not installed: a kernel would go to /boot, and chrony would start and set this machine's clock.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { say, withProgress } from './progress.mjs'

/** Raised when another set of packages is to be unpacked. */
const SET = 1

/** Names the kernel's package of the day in its dependencies. */
const KERNEL = 'linux-image-cloud-amd64'
const OTHERS = ['busybox-static', 'chrony']

const REMEDY = 'They are packages of Debian 12 for amd64, fetched by apt-get download; run apt-get update first.'

/** A folder outside the checkout, which holds what the packages would have put below `/`. */
export function machineFolder(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'starling', `machine-${SET}`)
}

/**
 * Makes sure of that folder. Returns whether it had to do anything. Where the packages cannot be had the reader is told,
 * and with CI=true that throws SetupError.
 */
export async function ensureMachine() {
  const folder = machineFolder()
  if (existsSync(folder)) return false
  try {
    await withProgress('unpacking a kernel for a virtual machine (once)', () => unpack(folder))
  } catch (error) {
    if (process.env.CI === 'true' || !(error instanceof SetupError)) throw error
    say(`${error.message}: tests in a virtual machine are skipped by name`)
    say(error.remedy)
  }
  return true
}

async function unpack(folder) {
  mkdirSync(dirname(folder), { recursive: true })
  const work = mkdtempSync(`${folder}.`)
  try {
    const shown = await succeed('apt-cache', ['show', '--no-all-versions', KERNEL], {})
    const kernel = /^Depends: (linux-image-[^ ,]+)/m.exec(shown)?.[1]
    if (kernel === undefined) throw new SetupError(`${KERNEL} depends on no kernel`, REMEDY)
    await succeed('apt-get', ['--quiet', 'download', kernel, ...OTHERS], { cwd: work })
    const root = join(work, 'root')
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      await succeed('dpkg-deb', ['--extract', file, root], { cwd: work })
    }
    // In one step, so that a folder that is there is whole. Another set-up may have been first.
    if (!existsSync(folder)) renameSync(root, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function succeed(command, args, options) {
  const { code, stdout, excerpt } = await run(command, args, options)
  if (code !== 0) throw new SetupError(`${command} ${args[0]} failed (exit code ${code}):\n${excerpt}`, REMEDY)
  return stdout
}
