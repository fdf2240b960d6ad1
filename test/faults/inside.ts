/**
 * Runs a detector where the fault is: in namespaces of its own, or as another user. The fault is made there by commands,
 * and every look goes through the engine's own probe, so that what comes back is what an agent there would make of it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import type { PeerOffset } from '../../detectors/contract.ts'
import type { RunResult } from '../../detectors/engine/track.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Answer, Question } from './answers.ts'

/** What answers on the other end. */
export const INSIDE_PROGRAM = fileURLToPath(new URL('./inside-process.ts', import.meta.url))

/**
 * Mounts of its own that reach nobody else, and a /proc in which it is process 1, since detectors read the mount table of
 * process 1. All that is mounted in it is gone when it ends.
 */
export const OWN_MOUNTS = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const
/** A network without anything in it but a loopback interface that is down, and the /proc/net of it; /sys is the machine's. */
export const OWN_NETWORK = [...OWN_MOUNTS, '--net'] as const

export interface Inside {
  /**
   * One look, with what earlier looks saw as its past. `options` as they would stand in settings; `peers`: what its mesh
   * measures, none by default.
   */
  look(detector: string, options?: unknown, peers?: readonly PeerOffset[]): Promise<RunResult>
  /** What `remediator` would do about the first fault of the last look of `detector` that it handles. Rejects when nothing. */
  plan(remediator: string, detector: string, options?: unknown): Promise<Plan>
  /** Carries a plan out there, by the hands that an agent has. */
  apply(plan: Plan): Promise<void>
  revert(plan: Plan): Promise<void>
  /** Runs a command there and returns what it said. Rejects when it fails. */
  run(...command: readonly string[]): Promise<string>
  /** Ends it, and everything that was started in it. */
  end(): Promise<void>
}

/** `wrapper`: the command that a program is put behind to run there, such as `OWN_MOUNTS`. */
export async function startInside(wrapper: readonly string[]): Promise<Inside> {
  const [command = '', ...args] = [...wrapper, process.execPath, INSIDE_PROGRAM]
  return insideOf(spawn(command, args, { stdio: 'pipe' }))
}

/** That program, already started: its stdin and stdout are those of `child`. */
export function insideOf(child: ChildProcessWithoutNullStreams): Inside {
  const ask = questionsTo(child)
  return {
    look: async (detector, options = {}, peers = []) => {
      const answer = await ask({ look: detector, options, peers })
      if (answer.result === undefined) throw new Error(answer.failed)
      return answer.result
    },
    plan: async (remediator, detector, options = {}) => {
      const answer = await ask({ plan: remediator, detector, options })
      if (answer.plan === undefined) throw new Error(answer.failed)
      return answer.plan
    },
    apply: async (plan) => {
      const answer = await ask({ apply: plan })
      if (answer.failed !== undefined) throw new Error(answer.failed)
    },
    revert: async (plan) => {
      const answer = await ask({ revert: plan })
      if (answer.failed !== undefined) throw new Error(answer.failed)
    },
    run: async (...words) => {
      const answer = await ask({ run: words })
      if (answer.said === undefined) throw new Error(`${words.join(' ')}: ${answer.failed}`)
      return answer.said
    },
    end: async () => {
      const ended = child.exitCode !== null || child.signalCode !== null ? undefined : once(child, 'exit')
      child.stdin.end()
      await ended
    },
  }
}

/** The reasons that a look found, or the kind of the look and why when nothing was judged. */
export function found(result: RunResult): readonly string[] {
  if (result.kind !== 'judged') return [`${result.kind}: ${result.why}`]
  return result.judgements.map(({ reason, cause }) => (cause === '' ? reason : `${reason} ${cause}`))
}

/** Until a counter of the next look is compared with that of the last: looks less than 5 s apart are not. */
export async function untilComparable(inside: Inside): Promise<void> {
  const uptime = async () => Number.parseFloat(await inside.run('cat', '/proc/uptime'))
  const from = await uptime()
  await vi.waitFor(async () => expect(await uptime()).toBeGreaterThan(from + 5), { timeout: 20_000, interval: 500 })
}

/** One question at a time is answered, in their order, a line each. */
function questionsTo(child: ChildProcessWithoutNullStreams): (question: Question) => Promise<Answer> {
  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)))
  child.once('close', () => {
    for (const { reject } of waiting) reject(new Error(`it ended early: ${errors}`))
  })
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.stdin.write(`${JSON.stringify(question)}\n`)
    })
}
