/**
 * A remediator that runs a program which somebody else has written: one command says what is, one changes that, one puts it
 * back. Without a shell, with the arguments that stand in its manifest and no others, within its caps.
 */
import { z } from 'zod'
import type { Duration } from '../common/duration.ts'
import type { Command, Host, RunLimits } from '../detectors/contract.ts'
import { complaint, oneLine, requireWhole } from '../detectors/manifests/result.ts'
import { type Plan, type Reach, type Remediator, type Risk, StalePlan } from './contract.ts'
import { shellWord } from './shell.ts'

/** What its author says of it; plugins/remediator-manifest.ts reads that from a file. */
export interface ProgramInit {
  readonly name: string
  readonly version: string
  readonly summary: string
  readonly handles: readonly string[]
  readonly reach: Reach
  readonly risk: Risk
  readonly reversible: boolean
  readonly loses?: string | undefined
  /** Prints in its first line what is now, and exits with 0. */
  readonly state: Command
  /** What that line says when there is nothing to mend. */
  readonly wanted: string
  readonly apply: Command
  /** Not there when there is no way back. */
  readonly revert?: Command | undefined
  readonly timeout: Duration
  /** For each of the commands. */
  readonly limits: RunLimits
  /** Of each of stdout and stderr. */
  readonly outputBytes: number
  /** What the programs touch themselves, as people are shown it. */
  readonly paths: readonly string[]
  readonly commands: readonly string[]
  readonly writes: readonly string[]
}

/** Of a line in a plan: more is no state that could be compared. */
const STATE_LENGTH_MAX = 200

export function programRemediator(init: ProgramInit): Remediator<Readonly<Record<string, never>>, string> {
  const { name, version, summary, handles, reach, risk, reversible, loses, state, wanted, apply, revert, timeout } =
    init
  const what = `${commandLine(state)}, by ${commandLine(apply)}`
  const run = async (host: Host, command: Command, signal: AbortSignal): Promise<string> => {
    const result = await host.run(command, { signal, limits: init.limits, bytesMax: init.outputBytes })
    try {
      if (requireWhole(result) === 0) return oneLine(result.stdout)
    } catch (error) {
      throw new Error(`${commandLine(command)}: ${(error as Error).message}`)
    }
    throw new Error(`${commandLine(command)}: ${complaint(result)}`)
  }
  const look = async (host: Host, signal: AbortSignal): Promise<string> => {
    const said = await run(host, state, signal)
    if (said === '' || said.length > STATE_LENGTH_MAX) {
      throw new Error(`${commandLine(state)} says no state in its first line, of 1 to ${STATE_LENGTH_MAX} characters`)
    }
    return said
  }
  const change = async (host: Host, command: Command, to: string, signal: AbortSignal): Promise<void> => {
    await run(host, command, signal)
    const now = await look(host, signal)
    if (now !== to) throw new Error(`${commandLine(command)} was run, and ${commandLine(state)} says ${now}, not ${to}`)
  }
  /** Decided on was the plan; the manifest can say something else by now. */
  const changeOf = ({ changes }: Plan) => {
    const [only] = changes
    if (only === undefined || only.what !== what || only.after !== wanted || changes.length > 1) {
      throw new StalePlan(`the manifest of ${name} has changed since the plan was made`)
    }
    return only
  }
  return {
    name,
    version,
    summary,
    handles,
    reach,
    risk,
    reversible,
    ...(loses === undefined ? {} : { loses }),
    timeout,
    touches: {
      paths: init.paths,
      writes: init.writes,
      commands: [...new Set([state[0], apply[0], ...(revert === undefined ? [] : [revert[0]]), ...init.commands])],
    },
    options: z.strictObject({}),

    async inspect(host, _finding, _options, signal) {
      signal.throwIfAborted()
      return look(host, signal)
    },

    plan(_finding, _options, seen) {
      if (seen === wanted) return null
      const undo = revert === undefined ? '(there is no way back)' : commandLine(revert)
      return [{ what, before: seen, after: wanted, undo }]
    },

    async apply(plan, { host }, signal) {
      signal.throwIfAborted()
      const { before } = changeOf(plan)
      const now = await look(host, signal)
      if (now === wanted) return
      if (now !== before) throw new StalePlan(`${commandLine(state)} says ${now}, and the plan was made for ${before}`)
      await change(host, apply, wanted, signal)
    },

    async revert(plan, { host }, signal) {
      signal.throwIfAborted()
      const { before } = changeOf(plan)
      if (revert === undefined || (await look(host, signal)) === before) return
      await change(host, revert, before, signal)
    },
  }
}

/** As it would be typed. */
function commandLine(command: Command): string {
  return command.map(shellWord).join(' ')
}
