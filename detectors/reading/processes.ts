/** The processes of a host, from its /proc. */
import { type Host, NotApplicable, type ProcessTable } from '../contract.ts'
import { failureCode } from './failure.ts'

/**
 * Their numbers. Throws an Error where /proc shows an agent its own processes only (mounted with hidepid): that one is not
 * listed there does not mean then that it is not there. Throws NotApplicable where there is no /proc of a running host.
 */
export async function processIds(host: Pick<Host, 'list'>): Promise<readonly string[]> {
  const ids = (await host.list('/proc')).filter((name) => /^\d+$/.test(name))
  if (ids.length === 0) throw new NotApplicable('/proc of this host holds no process, not even of the agent')
  if (!ids.includes('1')) throw new Error('/proc does not show the processes of others')
  return ids
}

/** As Host.processes, read now, one process after the other. Throws as processIds. */
export async function readProcesses(host: Pick<Host, 'list' | 'readWords'>): Promise<ProcessTable> {
  const processes: { id: string; words: readonly string[] }[] = []
  let unseen: Error | undefined
  for (const id of await processIds(host)) {
    try {
      processes.push({ id, words: await commandLineOf(host, id) })
    } catch (error) {
      unseen ??= error as Error
    }
  }
  return { processes, unseen, isFresh: true }
}

/** Its command line. None: it has ended, also as a zombie, or is a thread of the kernel. Throws an Error when it may not be seen. */
export async function commandLineOf(host: Pick<Host, 'readWords'>, id: string): Promise<readonly string[]> {
  try {
    return await host.readWords(`/proc/${id}/cmdline`)
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

export interface ProcessStatus {
  /** The letter of proc(5): R, S, D, T, t, Z and so on. */
  readonly state: string
  /** It has a PID namespace of its own, or a pod's: what it is called says nothing of the host. */
  readonly isContained: boolean
  /** It runs as root of the host, as far as the file says. */
  readonly isRoot: boolean
}

/** Undefined when it has ended. Throws an Error when the file is not of the form of proc(5), or may not be seen. */
export async function processStatusOf(host: Host, id: string): Promise<ProcessStatus | undefined> {
  const path = `/proc/${id}/status`
  try {
    const text = await host.readText(path)
    const state = /^State:\s+(\S)/m.exec(text)?.[1]
    if (state === undefined) throw new Error(`${path} does not say in which state the process is`)
    // One number for each namespace from the one of this /proc inwards; kernels before 4.1 do not say.
    const numbers = /^NSpid:\s+(\S.*)$/m.exec(text)?.[1]?.split(/\s+/) ?? []
    return { state, isContained: numbers.length > 1, isRoot: /^Uid:\s+0\s+0\s+0\s+0\s*$/m.test(text) }
  } catch (error) {
    if (error instanceof NotApplicable || hasEnded(error)) return undefined
    throw error
  }
}

/** It ended between the opening of its file and the reading. */
function hasEnded(error: unknown): boolean {
  return failureCode(error) === 'ESRCH'
}

/** When it started, in ticks since the host did: with its number this is the process and never another. Throws as readText. */
export async function startOf(host: Host, id: string): Promise<string> {
  const path = `/proc/${id}/stat`
  // Field 22 of proc(5); the second one is a name in parentheses, with anything in it.
  const fields = (await host.readText(path)).replace(/^.*\)/s, '').trim().split(' ')
  const start = fields[19]
  if (start === undefined || !/^\d+$/.test(start)) throw new Error(`${path} does not say when the process started`)
  return start
}
