/**
 * Finds a daemon of the host by its command line, since its init, its unit and the file of its pid differ from one
 * distribution to the next; and tells one that was stopped from one that is gone.
 */
import { z } from 'zod'
import { type Host, NotApplicable } from '../contract.ts'
import { commandLineOf, processStatusOf } from './processes.ts'

/**
 * Stopped by a signal, or held by a debugger: it is there and does nothing, like one that is dead. A zombie has no command
 * line any more and is not found at all. One that waits for a disk (D) is slow or hung, which is another detector's business.
 */
const STOPPED_STATES = ['T', 't']

export interface Daemon {
  readonly id: string
  readonly isStopped: boolean
}

/** Where it may run: what a program in a container is called says nothing of the host, but some daemons are meant to be in one. */
export type Where = 'host' | 'anywhere'

export interface DaemonSearch {
  /** Of all that run on the host; 1 when it was found where it was before, without looking at the others. */
  readonly processes: number
  /** A running one alone, or all that are stopped. */
  readonly found: readonly Daemon[]
}

/** The option that says which command lines are the daemon's. */
export function commandsOption(defaults: readonly string[], whose: string, where: Where = 'host') {
  return z
    .array(z.string().trim().min(1).max(500))
    .min(1)
    .max(16)
    .default([...defaults])
    .describe(
      `First words of the command lines that are ${whose}, the program without its folder; {node} stands for the node's name. Programs in containers ${where === 'host' ? 'do not count' : 'count too'}.`,
    )
}

/** The option that says on which hosts the daemon is meant to run. */
export function signsOption(defaults: readonly string[], what: string) {
  return z
    .array(z.string().startsWith('/', 'must be an absolute path'))
    .min(1)
    .max(16)
    .default([...defaults])
    .describe(`Paths of which at least one exists on a host that is meant to run ${what}; / for any host.`)
}

/** Throws NotApplicable, which says `why`, where none of the paths exists. */
export async function requireSign(host: Host, signs: readonly string[], why: string): Promise<void> {
  for (const sign of signs) if ((await host.exists(sign)) || (await isLink(host, sign))) return
  throw new NotApplicable(`this host has no ${signs.join(' and no ')}: ${why}`)
}

/** Units are enabled by links to absolute paths, which lead nowhere where the host's root is mounted below another. */
async function isLink(host: Host, path: string): Promise<boolean> {
  try {
    await host.readLink(path)
    return true
  } catch (error) {
    if (error instanceof NotApplicable) return false
    throw error
  }
}

/** Looks for one daemon, first where it was at the last look, so that not every process has to be looked at each time. */
export class DaemonFinder {
  readonly #last = new WeakMap<Host, string>()
  readonly #where: Where

  constructor(where: Where = 'host') {
    this.#where = where
  }

  /** Throws an Error when some of the processes cannot be seen and it is not among the others. */
  async find(host: Host, commands: readonly string[], signal: AbortSignal): Promise<DaemonSearch> {
    const isOne = commandBy(commands, host.node)
    const known = this.#last.get(host)
    const before = known === undefined ? undefined : await this.#lookAt(host, known, isOne)
    if (before !== undefined && !before.isStopped) return { processes: 1, found: [before] }
    const lately = await this.#findAmong(host, isOne, 'lately', signal)
    // It may have started since that table was read, as after a restart whose success somebody waits for.
    return lately.isFresh || isRunning(lately) ? lately : this.#findAmong(host, isOne, 'now', signal)
  }

  async #findAmong(host: Host, isOne: IsOne, asOf: 'lately' | 'now', signal: AbortSignal) {
    const { processes, unseen, isFresh } = await host.processes(asOf)
    const found: Daemon[] = []
    for (const { id } of processes.filter(({ words }) => isOne(words))) {
      signal.throwIfAborted()
      const daemon = await this.#lookAt(host, id, isOne)
      if (daemon === undefined) continue
      this.#last.set(host, id)
      if (!daemon.isStopped) return { processes: processes.length, found: [daemon], isFresh }
      found.push(daemon)
    }
    if (unseen !== undefined && isFresh) throw unseen
    return { processes: processes.length, found, isFresh }
  }

  /** Undefined when that process is none of those looked for. */
  async #lookAt(host: Host, id: string, isOne: IsOne): Promise<Daemon | undefined> {
    if (!isOne(await commandLineOf(host, id))) return undefined
    const status = await processStatusOf(host, id)
    if (status === undefined || (status.isContained && this.#where === 'host')) return undefined
    return { id, isStopped: STOPPED_STATES.includes(status.state) }
  }
}

export function isRunning({ found }: DaemonSearch): boolean {
  return found.some(({ isStopped }) => !isStopped)
}

/** Why `what` does not run, as in "none of 93 processes is the kubelet"; undefined when it does. */
export function whyNotRunning(search: DaemonSearch, what: string): string | undefined {
  if (isRunning(search)) return undefined
  const [stopped] = search.found
  return stopped === undefined
    ? `none of ${search.processes} processes is ${what}`
    : `${what}, process ${stopped.id}, is stopped: it was sent SIGSTOP, or a debugger holds it`
}

type IsOne = (words: readonly string[]) => boolean

function commandBy(commands: readonly string[], node: string): IsOne {
  const wanted = commands.map((command) => command.split(/\s+/).map((word) => word.replaceAll('{node}', node)))
  return ([program = '', ...rest]) => {
    const words = [program.slice(program.lastIndexOf('/') + 1), ...rest]
    return wanted.some((command) => command.every((word, index) => words[index] === word))
  }
}
