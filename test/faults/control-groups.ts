/** Control groups of a test's own, in cgroup v1 as in v2. They are removed again, and hold what is put into them. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { type Missing, needsLinux, needsRoot } from '../real-part.ts'

const ROOT = '/sys/fs/cgroup'
const isUnified = existsSync(join(ROOT, 'cgroup.controllers'))
/** The hierarchies of v1 that a container is in, as far as cadvisor asks. */
const HIERARCHIES = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'blkio'].filter((name) =>
  existsSync(join(ROOT, name)),
)
const FOLDERS = isUnified ? [ROOT] : HIERARCHIES.map((name) => join(ROOT, name))

export function needsControlGroups(): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  return isUnified || existsSync(join(ROOT, 'memory')) ? undefined : 'control groups of memory'
}

export class ControlGroups {
  /** From the root of cgroupfs. */
  readonly top: string

  /** `name` is one path segment, told apart from others' by the process. */
  constructor(name: string) {
    this.top = `/${name}-${process.pid}`
    this.make(this.top)
  }

  /** With all above it. */
  make(group: string): void {
    for (const folder of FOLDERS) {
      if (isUnified && group !== '/')
        writeFileSync(join(folder, dirname(group), 'cgroup.subtree_control'), '+memory +cpu')
      mkdirSync(join(folder, group), { recursive: true })
    }
  }

  limitMemory(group: string, bytes: number): void {
    const file = isUnified ? 'memory.max' : 'memory.limit_in_bytes'
    writeFileSync(join(ROOT, isUnified ? '' : 'memory', group, file), String(bytes))
  }

  /** A shell script in front of a command, which then runs in the group. */
  within(group: string): string {
    // Of itself, whatever PID namespace it is in.
    return FOLDERS.map((folder) => `echo 0 > ${join(folder, group, 'cgroup.procs')}`).join('; ')
  }

  /** Once its processes have ended. */
  async remove(): Promise<void> {
    for (const folder of FOLDERS) await vi.waitFor(() => removeBelow(join(folder, this.top)), { timeout: 20_000 })
  }
}

function removeBelow(folder: string): void {
  if (!existsSync(folder)) return
  const names = readdirSync(folder, { withFileTypes: true })
  for (const name of names.filter((entry) => entry.isDirectory())) removeBelow(join(folder, name.name))
  rmdirSync(folder)
}
