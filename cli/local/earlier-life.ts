/**
 * What a mesh of the same folder left behind: nothing, unless its `up` was killed. Its processes then end by themselves,
 * but not those that chaos has stopped, and each may take a moment; so the next `up` ends what it finds.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { StarlingError } from '../../common/errors.ts'
import { controlSocketOf } from './control.ts'
import { answers } from './ports.ts'

/** Written while a mesh runs: how to reach it (cli/connection.ts), and its processes by name. */
export interface UpState {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly pids: Readonly<Record<string, number | undefined>>
}

const FILE = 'up.json'
const Earlier = z.object({ pid: z.number(), pids: z.record(z.string(), z.number()) })

export function writeUpState(dir: string, state: UpState): void {
  const file = join(dir, FILE)
  writeFileSync(`${file}.tmp`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.tmp`, file)
}

export function removeUpState(dir: string): void {
  rmSync(join(dir, FILE), { force: true })
}

/**
 * Ends what an earlier life of `dir` left running, and names it; undefined when that life ended as it should have. Throws
 * StarlingError when it goes on: two meshes in one folder would be two lives under one identity.
 */
export async function endEarlierLife(dir: string): Promise<readonly string[] | undefined> {
  const earlier = readState(dir)
  if (earlier === undefined) return undefined
  // Only the `up` that listens on it answers; a socket that was left behind refuses.
  if (await answers({ path: controlSocketOf(dir) })) {
    throw new StarlingError(`a mesh runs from ${dir} already, as process ${earlier.pid}`, {
      remedy: 'end it, or give another --dir, --http-port, --mesh-port and --kubelet-port',
    })
  }
  // A number alone says nothing: by now it may be another process's.
  const left = Object.entries(earlier.pids).filter(([name, pid]) => {
    const [node = ''] = name.split(' ')
    return commandOf(pid).includes(join(dir, node))
  })
  for (const [, pid] of left) kill(pid)
  removeUpState(dir)
  return left.map(([name]) => name)
}

function readState(dir: string): z.infer<typeof Earlier> | undefined {
  try {
    return Earlier.parse(JSON.parse(readFileSync(join(dir, FILE), 'utf8')))
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

/** The words a process was started with, joined by blanks; empty when it is gone or nobody can say. */
export function commandOf(pid: number): string {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
    }
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}
