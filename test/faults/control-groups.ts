/** Control groups of a test's own, in cgroup v1 as in v2. They are removed again, and hold what is put into them. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { type Missing, needsLinux, needsRoot } from '../real-part.ts'

const ROOT = '/sys/fs/cgroup'
const isUnified = existsSync(join(ROOT, 'cgroup.controllers'))
/** The hierarchies of v1 that a container is in, as far as cadvisor and detectors ask. */
const HIERARCHIES = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'blkio', 'freezer'].filter((name) =>
  existsSync(join(ROOT, name)),
)
const FOLDERS = isUnified ? [ROOT] : HIERARCHIES.map((name) => join(ROOT, name))

export function needsControlGroups(controller: 'memory' | 'pids' = 'memory'): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  return isUnified || existsSync(join(ROOT, controller)) ? undefined : `control groups of ${controller}`
}

/** Of version 2 the kernel shows a frozen process as asleep; of version 1 as one that waits and cannot be killed. */
export const FROZEN_LOOK_STUCK = !isUnified && HIERARCHIES.includes('freezer')

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
        writeFileSync(join(folder, dirname(group), 'cgroup.subtree_control'), '+memory +cpu +pids')
      mkdirSync(join(folder, group), { recursive: true })
    }
  }

  limitMemory(group: string, bytes: number): void {
    this.set(group, isUnified ? 'memory.max' : 'memory.limit_in_bytes', bytes)
  }

  /** `file` is one of a controller's, as `pids.max`. */
  set(group: string, file: string, value: string | number): void {
    const [controller = ''] = file.split('.')
    writeFileSync(join(ROOT, isUnified ? '' : controller, group, file), String(value))
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
