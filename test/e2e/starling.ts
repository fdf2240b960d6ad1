/** The `starling` command as a person runs it, and waiting for what it brings about. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../common/errors.ts'

export const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))

/** How long anything may take on a busy machine, ms. Never what a test asserts. */
export const DEADLINE_MS = 90_000
const LOOK_EVERY_MS = 100

export interface RunResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** A process whose network namespace the command is to run in. */
  readonly namespaceOf?: number | undefined
  readonly cwd?: string
}

/** Without what the person at this machine may have set for a mesh of their own. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('STARLING_')))
}

/** Runs the command to its end. */
export async function starling(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program, ...rest] = inNamespace([process.execPath, MAIN, ...args], options.namespaceOf)
  const child = spawn(program, rest, {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('exit', resolve)
    child.once('error', reject)
  })
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { code, stdout, stderr }
}

/** The same command, in the network namespace of that process. */
export function inNamespace(command: readonly string[], pid: number | undefined): [string, ...string[]] {
  const [program = '', ...args] = command
  return pid === undefined ? [program, ...args] : ['nsenter', `--net=/proc/${pid}/ns/net`, '--', program, ...args]
}

/**
 * Looks until `look` gives something (not undefined, null or false) and returns it. What `look` throws counts as nothing
 * yet. Throws an Error that says what was waited for, and in which state things were by then.
 */
export async function waitFor<T>(
  what: string,
  look: () => T | Promise<T>,
  state: () => string | Promise<string> = () => '',
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + DEADLINE_MS
  let last = 'nothing yet'
  for (;;) {
    try {
      const seen = await look()
      if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>
    } catch (error) {
      last = messageOf(error)
    }
    if (performance.now() > deadline) throw new Error(`waited for: ${what}; ${last}\n${await state()}`)
    await wait(LOOK_EVERY_MS)
  }
}

/** Whether the process runs. One that ended and that nobody has asked about yet (a zombie) does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    // The state is the first field after the name, which is in parentheses and may hold any character.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.startsWith('Z') === false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
