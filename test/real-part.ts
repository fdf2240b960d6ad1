/**
 * Suites that need a part of a real machine: root, a network namespace, a browser. Where it is missing they are skipped
 * under their own name with what is missing; with CI=true they fail instead, so that CI never passes by not looking.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { describe, it } from 'vitest'

/** What is missing, as a noun phrase; undefined when nothing is. */
export type Missing = string | undefined

/** Like `describe`, for a suite that needs something real. Pass the first of several requirements that is missing. */
export function describeReal(name: string, missing: Missing, suite: () => void): void {
  if (missing === undefined) {
    describe(name, suite)
  } else if (process.env.CI === 'true') {
    describe(name, () => {
      it('has what it needs', () => {
        throw new Error(`CI must not skip this suite, and it needs ${missing}`)
      })
    })
  } else {
    describe.skip(`${name} [skipped: needs ${missing}]`, () => {
      it('runs', () => {})
    })
  }
}

export function needsLinux(): Missing {
  return process.platform === 'linux' ? undefined : 'Linux'
}

export function needsRoot(): Missing {
  return process.getuid?.() === 0 ? undefined : 'root'
}

/** A namespace of our own has kernel parameters of its own, so a test can set them without touching the host's. */
export function needsNetworkNamespace(): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? undefined : 'the right to create a network namespace'
}

/** Root may read everything, so what an agent without rights sees can only be seen by running as somebody else. */
export function needsAnotherUser(file: string): Missing {
  const missing = needsLinux() ?? needsRoot()
  if (missing !== undefined) return missing
  const probe = spawnSync(process.execPath, ['-e', 'fs.accessSync(process.argv[1])', file], { uid: NOBODY })
  return probe.status === 0 ? undefined : 'a checkout that other users may read'
}

/** The user that the agent runs as in a cluster. */
export const NOBODY = 65_534

/** `files`: what it needs beside itself. */
export function needsProgram(program: string, ...files: readonly string[]): Missing {
  if (spawnSync('which', [program]).status !== 0) return `the program ${program}`
  return files.find((file) => !existsSync(file))
}
