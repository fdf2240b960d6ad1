/**
 * Are there too many processes, or many that are in a bad state? Dead ones that nobody buries (zombies) say that a parent is
 * broken; ones that stay in an uninterruptible wait say that a disk, a network filesystem or a driver is.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { failureCode } from './reading/failure.ts'
import { processIds } from './reading/processes.ts'

type ProcessReason = 'ProcessesMany' | 'ProcessesTooMany' | 'ZombiesMany' | 'ProcessesStuck'

interface Counts {
  readonly processes: number
  readonly zombies: number
  /** In state D, by their number. */
  readonly waiting: readonly string[]
  /** Up to `NAMED_MAX` of each kind, as `name (number)`. */
  readonly zombieNames: readonly string[]
}

/** Named in a summary; more do not make it clearer. */
const NAMED_MAX = 5

export const processCount = defineDetector({
  name: 'process-count',
  summary: 'How many processes there are, how many are zombies, and how many are stuck.',
  every: '2m',
  timeout: '20s',
  needs: [],
  touches: { paths: ['/proc/*/stat'] },
  options: z
    .strictObject({
      // 110 pods with a dozen processes each and the host's own are about 2,000.
      warnProcesses: z.int().min(1).default(5_000).describe('Number of processes from which it is a warning.'),
      alarmProcesses: z.int().min(1).default(20_000).describe('Number of processes from which it is an alarm.'),
      zombies: z.int().min(1).default(20).describe('Number of zombies from which it is a warning.'),
      stuck: z
        .int()
        .min(1)
        .default(10)
        .describe(
          'Number of processes found waiting uninterruptibly in two looks in a row, from which it is a warning.',
        ),
    })
    .refine(
      ({ warnProcesses, alarmProcesses }) => warnProcesses < alarmProcesses,
      'warnProcesses must be below alarmProcesses',
    ),
  reasons: {
    ProcessesMany: {
      severity: 'warn',
      summary: 'There are more processes than a node should have: something starts them and does not stop.',
      sustain: '4m',
      runbook: 'process-count',
    },
    ProcessesTooMany: {
      severity: 'alarm',
      summary: 'There are so many processes that listing them, as the kubelet and many tools do, takes seconds.',
      sustain: '2m',
      runbook: 'process-count',
      supersedes: 'ProcessesMany',
    },
    ZombiesMany: {
      severity: 'warn',
      summary: 'Many processes have ended and are not buried: each keeps a number, and their parent does not work.',
      sustain: '10m',
      runbook: 'process-count',
    },
    ProcessesStuck: {
      severity: 'warn',
      summary: 'Many processes wait and cannot even be killed: a disk, a network filesystem or a driver hangs.',
      sustain: '4m',
      runbook: 'process-count',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    const counts = { processes: 0, zombies: 0, waiting: [] as string[], zombieNames: [] as string[] }
    for (const id of await processIds(host)) {
      signal.throwIfAborted()
      const stat = await statOf(host, id)
      if (stat === undefined || stat.isKernelThread) continue
      counts.processes += 1
      if (stat.state === 'D') counts.waiting.push(id)
      if (stat.state !== 'Z') continue
      counts.zombies += 1
      if (counts.zombieNames.length < NAMED_MAX) counts.zombieNames.push(`${stat.name} (${id})`)
    }
    return counts
  },

  judge(counts, options, [last]) {
    return [...judgeNumber(counts, options), ...judgeZombies(counts, options), ...judgeStuck(counts, last, options)]
  },
})

interface Limits {
  readonly warnProcesses: number
  readonly alarmProcesses: number
  readonly zombies: number
  readonly stuck: number
}

function judgeNumber(
  { processes }: Counts,
  { warnProcesses, alarmProcesses }: Limits,
): readonly Judgement<ProcessReason>[] {
  const summary = `${processes} processes run`
  const levels = [
    { reason: 'ProcessesMany', from: warnProcesses },
    { reason: 'ProcessesTooMany', from: alarmProcesses },
  ] as const
  return levels
    .filter(({ from }) => processes >= from)
    .map(({ reason, from }) => ({
      reason,
      summary,
      evidence: [{ name: 'processes', value: processes, limit: from, unit: 'processes' }],
    }))
}

function judgeZombies({ zombies, zombieNames }: Counts, limits: Limits): readonly Judgement<ProcessReason>[] {
  if (zombies < limits.zombies) return []
  const summary = `${counted(zombies, 'process is a zombie', 'processes are zombies')}, among them ${zombieNames.join(', ')}`
  const evidence = [{ name: 'zombies', value: zombies, limit: limits.zombies, unit: 'processes' }]
  return [{ reason: 'ZombiesMany', summary, evidence }]
}

/** Only what waits in both looks: a busy disk makes many wait, for a moment each. */
function judgeStuck(now: Counts, last: Counts | undefined, limits: Limits): readonly Judgement<ProcessReason>[] {
  const before = new Set(last?.waiting)
  const stuck = now.waiting.filter((id) => before.has(id))
  if (stuck.length < limits.stuck) return []
  const summary = `${counted(stuck.length, 'process has', 'processes have')} waited uninterruptibly in two looks, among them ${stuck.slice(0, NAMED_MAX).join(', ')}`
  const evidence = [{ name: 'stuck', value: stuck.length, limit: limits.stuck, unit: 'processes' }]
  return [{ reason: 'ProcessesStuck', summary, evidence }]
}

/** PF_KTHREAD of the kernel's include/linux/sched.h. Threads of the kernel are not processes that anybody started. */
const KERNEL_THREAD = 0x0020_0000

interface Stat {
  readonly name: string
  readonly state: string
  readonly isKernelThread: boolean
}

/** Undefined when it has ended. */
async function statOf(host: Host, id: string): Promise<Stat | undefined> {
  const path = `/proc/${id}/stat`
  try {
    const text = await host.readText(path)
    // Its name stands in brackets and may itself hold brackets and blanks; flags are the ninth field of proc(5).
    const [, name, state, flags] = /^\d+ \((.*)\) ([A-Za-z]) (?:-?\d+ ){5}(\d{1,10}) /s.exec(text) ?? []
    if (name === undefined || state === undefined) throw new Error(`${path} is not of the form of proc(5)`)
    return { name, state, isKernelThread: (Number(flags) & KERNEL_THREAD) !== 0 }
  } catch (error) {
    if (error instanceof NotApplicable || hasEnded(error)) return undefined
    throw error
  }
}

function hasEnded(error: unknown): boolean {
  return failureCode(error) === 'ESRCH'
}
