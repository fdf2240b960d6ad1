/** A cgroup of a test's own, so that what runs out runs out there and nowhere else on this machine. Version 1 or 2. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Missing } from '../real-part.ts'

const ROOT = '/sys/fs/cgroup'

/** What is missing for a cgroup with `controller`. */
export function needsCgroup(controller: string): Missing {
  return rootOf(controller) === undefined ? `cgroups with the controller ${controller}` : undefined
}

export interface Cgroup {
  /** Its path below the root of its hierarchy, as detectors name it. */
  readonly name: string
  /** Where its files are. */
  readonly folder: string
  set(file: string, value: string | number): void
  /** To be put before a command, so that it and all that it starts are in it. */
  readonly enter: readonly string[]
  /** It must be empty by then. */
  remove(): void
}

export function makeCgroup(controller: string, name = `starling-test-${process.pid}-${controller}`): Cgroup {
  const root = rootOf(controller)
  if (root === undefined) throw new Error(`there are no cgroups with the controller ${controller}`)
  const folder = join(root, name)
  mkdirSync(folder)
  return {
    name,
    folder,
    set: (file, value) => writeFileSync(join(folder, file), String(value)),
    enter: ['sh', '-c', `echo $$ > ${folder}/cgroup.procs && exec "$@"`, 'enter'],
    remove: () => rmdirSync(folder),
  }
}

/** Version 1 has a hierarchy for each controller; in version 2 there is one for all. */
function rootOf(controller: string): string | undefined {
  return [join(ROOT, controller), ROOT].find((root) => existsSync(join(root, 'cgroup.procs')))
}
