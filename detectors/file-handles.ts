/**
 * Is anything about to run out of open files? The kernel has one limit for the whole host (fs.file-max), and each process
 * one of its own (RLIMIT_NOFILE), which is the one that is hit in practice: a runtime or a store that can open no more
 * answers nobody, and looks alive.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { failureCode } from './reading/failure.ts'
import { IN_ORDER, inOrder, percent, ratio, reached } from './reading/levels.ts'

const FILE_NR = '/proc/sys/fs/file-nr'

/** Those without which no pod runs or no cluster does; each of them needs a file for every connection or container. */
const PROGRAMS = ['kubelet', 'containerd', 'crio', 'dockerd', 'etcd', 'kube-apiserver', 'kube-proxy', 'coredns']

interface Use {
  /** The program and its process; empty: the whole host. */
  readonly who: string
  readonly open: number
  readonly limit: number
}

export const fileHandles = defineDetector({
  name: 'file-handles',
  summary: 'How many open files there still can be, on the host and in the processes that a node cannot do without.',
  every: '1m',
  timeout: '10s',
  needs: [],
  touches: { paths: [FILE_NR, '/proc/*/cmdline', '/proc/*/limits', '/proc/*/fd'] },
  options: z
    .strictObject({
      warnRatio: ratio.default(0.8).describe('Share of a limit in use from which it is a warning.'),
      alarmRatio: ratio.default(0.9).describe('Share of a limit in use from which it is an alarm.'),
      programs: z
        .array(z.string().min(1).max(200))
        .max(64)
        .default(PROGRAMS)
        .describe(
          'Programs, without their folder, whose own limit is looked at. That of another user takes CAP_SYS_PTRACE; without it, it is left out.',
        ),
    })
    .refine(inOrder, IN_ORDER),
  reasons: {
    FilesLow: {
      severity: 'warn',
      summary: 'Open files are running out; soon nothing can be opened, and no connection accepted.',
      sustain: '2m',
      runbook: 'file-handles',
    },
    FilesExhausted: {
      severity: 'alarm',
      summary: 'There are all but no open files left: opening files and accepting connections fails.',
      sustain: '0s',
      runbook: 'file-handles',
      supersedes: 'FilesLow',
    },
  },

  async sample(host, { programs }, signal) {
    signal.throwIfAborted()
    const uses: Use[] = [parseFileNr(await host.readText(FILE_NR))]
    // To find the programs takes going through thousands of processes, to see nothing of them without it.
    if (programs.length === 0 || (await host.missing(['CAP_SYS_PTRACE'])).length > 0) return uses
    for (const { id, words } of (await host.processes('lately')).processes) {
      const program = nameOf(words)
      if (!programs.includes(program)) continue
      signal.throwIfAborted()
      const use = await useOf(host, id, program)
      if (use !== undefined) uses.push(use)
    }
    return uses
  },

  judge(uses, options) {
    return uses.flatMap(({ who, open, limit }): readonly Judgement<'FilesLow' | 'FilesExhausted'>[] => {
      const share = open / limit
      const summary = `${who === '' ? 'the host' : who} has ${open} of ${limit} files open (${percent(share)})`
      const evidence = [{ name: 'open files', value: open, limit, unit: 'files' }]
      return reached(share, options, 'FilesLow', 'FilesExhausted').map((reason) => ({
        reason,
        // Without the number of the process: one that starts again is the same cause.
        cause: who.split(' ')[0] ?? '',
        summary,
        evidence,
      }))
    })
  },
})

/** `allocated unused max`, of which the second is 0 since Linux 2.6. The last may be 2^63 - 1, which is no limit at all. */
function parseFileNr(text: string): Use {
  const [, open, limit] = /^(\d{1,19})\t0\t(\d{1,19})$/.exec(text.trim()) ?? []
  if (open === undefined || Number(limit) === 0) throw new Error(`${FILE_NR} is not of the form of proc(5)`)
  return { who: '', open: Number(open), limit: Number(limit) }
}

/** Of the program, without its folder. */
const nameOf = ([path = '']: readonly string[]) => path.slice(path.lastIndexOf('/') + 1)

/** Undefined when it has ended, has no limit, or may not be looked at. */
async function useOf(host: Host, id: string, program: string): Promise<Use | undefined> {
  try {
    const limit = /^Max open files\s+(\d{1,15})\s/m.exec(await host.readText(`/proc/${id}/limits`))?.[1]
    if (limit === undefined || Number(limit) === 0) return undefined
    const open = (await host.list(`/proc/${id}/fd`)).length
    return { who: `${program} (process ${id})`, open, limit: Number(limit) }
  } catch (error) {
    if (error instanceof NotApplicable || isPassedOver(error)) return undefined
    throw error
  }
}

/** It ended while it was looked at, or belongs to somebody whom this agent may not look into. */
function isPassedOver(error: unknown): boolean {
  const code = failureCode(error)
  return code === 'ESRCH' || code === 'EACCES' || code === 'EPERM'
}
