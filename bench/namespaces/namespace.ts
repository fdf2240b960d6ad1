/**
 * Network namespaces, each named after the process that made it: what a killed run has left behind is thus known from
 * what a living one uses. The machine's own interfaces, routes and rules are never touched.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const PREFIX = 'starling'

const runFile = promisify(execFile)

/** What is missing for namespaces on this machine, as a noun phrase; undefined when nothing is. */
export function missingForNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'Linux'
  if (process.getuid?.() !== 0) return 'root'
  if (spawnSync('ip', ['-V']).status !== 0) return 'ip, from iproute2'
  if (spawnSync('iptables', ['-V']).status !== 0) return 'iptables'
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'the right to create a network namespace'
}

/** The full name of this process's namespace `name`. */
export function namespaceCalled(name: string): string {
  return `${PREFIX}-${process.pid}-${startOf(process.pid)}-${name}`
}

/** The words to put before a command that is to run in there. */
export function enter(namespace: string): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--']
}

/** Runs a program in there and gives what it wrote. Rejects with what it said when it fails. */
export async function runIn(namespace: string, ...command: readonly string[]): Promise<string> {
  const [program = '', ...args] = [...enter(namespace), ...command]
  return (await runFile(program, args, { encoding: 'utf8' })).stdout
}

/** Runs lines of `ip` commands in there, as in `ip -batch`. Throws at the first that fails. */
export function ipIn(namespace: string, lines: readonly string[]): void {
  execFileSync('ip', ['-n', namespace, '-batch', '-'], { input: lines.join('\n'), stdio: ['pipe', 'ignore', 'pipe'] })
}

export function addNamespace(namespace: string): void {
  execFileSync('ip', ['netns', 'add', namespace])
}

/** Removes them with every process inside. Some may be gone already; blocks until all are. */
export function removeNamespaces(namespaces: readonly string[]): void {
  const pids = namespaces.flatMap((namespace) => {
    const listed = spawnSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).stdout ?? ''
    return listed.split('\n').filter(Boolean).map(Number)
  })
  for (const pid of pids) kill(pid)
  for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace])
}

/** Makes a folder that is known by its name in the same way. */
export function makeFolder(): string {
  const folder = join(tmpdir(), namespaceCalled('files'))
  mkdirSync(folder, { mode: 0o700 })
  return folder
}

/** A process that was just killed may be writing its last line. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Removes what processes that are no more have left behind. Says how many namespaces that were. */
export function removeLeftovers(): number {
  const listed = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n')
  const left = listed.map((line) => line.split(' ')[0] ?? '').filter(isLeftBehind)
  removeNamespaces(left)
  for (const name of readdirSync(tmpdir()).filter(isLeftBehind)) removeFolder(join(tmpdir(), name))
  return left.length
}

/** Named after a process that is no more. */
function isLeftBehind(name: string): boolean {
  const [, pid, start] = new RegExp(`^${PREFIX}-(\\d+)-(\\d+)-`).exec(name) ?? []
  return pid !== undefined && startOf(Number(pid)) !== start
}

/** When a process was started, in ticks since boot: a number alone may be another process's by now. */
function startOf(pid: number): string | undefined {
  try {
    // proc(5): field 22; the name in field 2 may hold blanks, so counting starts after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself meanwhile.
  }
}
