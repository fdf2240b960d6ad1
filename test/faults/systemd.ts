/**
 * A real systemd with a real D-Bus, as process 1 of namespaces of its own on a copy of this machine's files: units can fail
 * there, and nothing of it reaches this machine or stays.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Missing, needsLinux, needsRoot } from '../real-part.ts'
import { type Inside, startInside } from './inside.ts'

const WORLD = fileURLToPath(new URL('./systemd-root.sh', import.meta.url))
const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url))

const NAMESPACES = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--net']
/** Of everything in there: the clock, the modules and the power of this machine are out of its reach. */
const WITHOUT_RIGHTS = ['setpriv', '--bounding-set', '-sys_time,-sys_module,-sys_boot,-sys_rawio,-wake_alarm']
const START_MS_MAX = 30_000

export interface Systemd extends Inside {
  /** The words before a command that is to run here, on its network. */
  readonly network: readonly string[]
  /** Writes a unit file, and has systemd read it. A unit needs `DefaultDependencies=no`: this is no whole machine. */
  unit(name: string, text: string): Promise<void>
}

export function needsSystemd(): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  if (!existsSync('/lib/systemd/systemd')) return 'systemd'
  if (spawnSync('setpriv', ['--version']).status !== 0) return 'setpriv'
  return cgroupRoot() === undefined ? 'control groups of version 2' : undefined
}

/**
 * Runs `use` with a systemd of its own, which is gone afterwards with all that it started. `folders`: more that it sees as they
 * are here, wherever they are mounted.
 */
export async function withSystemd(
  use: (systemd: Systemd) => Promise<void>,
  folders: readonly string[] = [],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'starling-systemd-'))
  const group = join(cgroupRoot() ?? '', `starling-${process.pid}-${Date.now()}`)
  mkdirSync(group)
  const seen = [CHECKOUT, dirname(process.execPath), ...folders].join('\n')
  // It joins its group first, so that this is the root of what it sees.
  const command = `echo $$ > ${group}/cgroup.procs; exec "$@"`
  const apart = ['unshare', ...NAMESPACES, '--fork', '--kill-child', ...WITHOUT_RIGHTS, 'sh', WORLD, folder, seen]
  const child = spawn('sh', ['-c', command, 'sh', ...apart], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'close')
  try {
    const { inside, network } = await enter(child)
    try {
      await use({
        ...inside,
        network,
        unit: async (name, text) => {
          await inside.run('/bin/sh', '-c', 'printf %s "$2" > /etc/systemd/system/"$1"', 'sh', name, text)
          await inside.run('systemctl', 'daemon-reload')
        },
      })
    } finally {
      await inside.end()
    }
  } finally {
    child.kill('SIGKILL')
    await ended
    await removeGroup(group)
    rmdirSync(folder)
  }
}

async function enter(child: ChildProcess): Promise<{ inside: Inside; network: readonly string[] }> {
  let errors = ''
  child.stderr?.on('data', (chunk) => {
    errors += chunk
  })
  for (const until = Date.now() + START_MS_MAX; Date.now() < until; await wait(50)) {
    if (child.exitCode !== null || child.signalCode !== null) break
    const init = initOf(child.pid ?? 0)
    if (init === undefined) continue
    const into = ['--target', init, ...NAMESPACES, ...WITHOUT_RIGHTS]
    const answer = spawnSync('nsenter', [...into, 'systemctl', 'is-active', 'lab.target'])
    if (answer.status === 0) {
      const inside = await startInside(['nsenter', ...into])
      return { inside, network: ['nsenter', '--target', init, '--net'] }
    }
  }
  throw new Error(`systemd did not start: ${errors}`)
}

/** The process id, here, of what is process 1 there, once it is systemd. */
function initOf(parent: number): string | undefined {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
  return children.find((id) => id !== '' && readFileSync(`/proc/${id}/comm`, 'utf8').trim() === 'systemd')
}

/** Where the groups of version 2 are: also where those of version 1 hold the controllers. */
function cgroupRoot(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  return mounts.map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1]
}

/** The kernel lets go of a group a moment after its last process. */
async function removeGroup(group: string): Promise<void> {
  for (const name of readdirSync(group, { withFileTypes: true })) {
    if (name.isDirectory()) await removeGroup(join(group, name.name))
  }
  for (let left = 100; ; left--) {
    try {
      rmdirSync(group)
      return
    } catch (error) {
      if (left === 0) throw error
      await wait(50)
    }
  }
}
