/** The npm packages of package-lock.json, and the Node.js that they bring along. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, SetupError } from './command.mjs'
import { withProgress } from './progress.mjs'

/** The first Node.js that runs our .ts files as they are and has what libp2p and node:sqlite need. */
const MIN_NODE = [22, 19]

/** Installs what package-lock.json asks for unless it is there already. Returns whether it had to do anything. */
export async function installPackages(root) {
  const lock = readFileSync(join(root, 'package-lock.json'))
  const stampFile = join(root, 'node_modules', '.starling-setup')
  // The packages hold binaries, so a tree that was installed on another kind of machine will not do.
  const stamp = `${createHash('sha256').update(lock).digest('hex')} ${process.platform} ${process.arch}\n`
  if (readIfThere(stampFile) === stamp) return false
  const wanted = JSON.parse(lock).packages
  if (!treeMatches(root, wanted)) {
    await withProgress(
      `installing ${Object.keys(wanted).length - 1} npm packages (about a minute)`,
      () => npmCi(root),
      () => installedShare(root, wanted),
    )
  }
  writeFileSync(stampFile, stamp)
  return true
}

async function npmCi(root) {
  const runningNpm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  // Not process.execPath: on later runs that is the Node inside node_modules, which `npm ci` is about to remove.
  const node = process.env.npm_node_execpath ?? process.execPath
  const result = runningNpm?.endsWith('npm-cli.js')
    ? await run(node, [runningNpm, ...args], { cwd: root })
    : await run('npm', args, { cwd: root })
  if (result.code !== 0)
    throw new SetupError(
      `npm ci failed (exit code ${result.code}):\n${result.excerpt}`,
      'Check the connection to the npm registry (npm ping), then run the same command again.',
    )
}

/** Whether someone installed the very same packages by hand: npm keeps a list of what it put into node_modules. */
function treeMatches(root, wanted) {
  const text = readIfThere(join(root, 'node_modules', '.package-lock.json'))
  if (text === null) return false
  const present = JSON.parse(text).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '') return true
    const found = present[path]
    // Optional packages are binaries for other machines; they may be missing, but not in another version.
    return found === undefined ? entry.optional === true : found.version === entry.version
  })
}

function installedShare(root, wanted) {
  const paths = Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && entry.optional !== true)
    .map(([path]) => path)
  return paths.filter((path) => existsSync(join(root, path, 'package.json'))).length / paths.length
}

/** The Node.js that runs everything else: the installed one, or our own if that is new enough. Throws SetupError. */
export async function findNode(root) {
  const installed = join(root, 'node_modules', '.bin', 'node')
  const own = { path: process.execPath, version: process.version }
  const result = await run(installed, ['--version'])
  const candidates = result.code === 0 ? [{ path: installed, version: result.stdout.trim() }, own] : [own]
  const good = candidates.find((candidate) => isNewEnough(candidate.version))
  if (good !== undefined) return good.path
  const found = candidates.map((candidate) => candidate.version).join(' and ')
  throw new SetupError(
    `Starling needs Node.js ${MIN_NODE.join('.')} or later; found ${found}, and the npm package "node" brought none that runs here.`,
    'Run npm ci --ignore-scripts=false, or put Node.js 24 on the PATH, then run the same command again.',
  )
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])
}

function readIfThere(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}
