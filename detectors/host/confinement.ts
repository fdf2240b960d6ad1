/** Puts a program behind those that hold it to its limits and to what it may see; each replaces itself by the next, but bwrap. */
import { access } from 'node:fs/promises'
import { messageOf } from '../../common/errors.ts'
import { BWRAP, seesAll, viewArguments, whyNotHeld } from './bubblewrap.ts'
import type { Command, CommandResult, RunLimits } from './port.ts'
import { viewOf } from './program-view.ts'

const PRLIMIT = '/usr/bin/prlimit'
const SETPRIV = '/usr/bin/setpriv'
const UNSHARE = '/usr/bin/unshare'
const NOBODY = 65_534
/**
 * Ends the program with this process, also one that is killed: what nobody waits for must not go on changing the host after
 * somebody else has put it back.
 */
const WITH_US = '--pdeathsig=KILL'

/** Throws an Error when one of util-linux is not on this host: without its limits a program is not run. */
export async function confined(command: Command, limits: RunLimits): Promise<Command> {
  const isRoot = process.getuid?.() === 0
  const words = [
    ...(limits.withoutNetwork && isRoot ? [UNSHARE, '--net', '--'] : []),
    ...resources(limits),
    ...(await view(command, limits)),
    // Behind bwrap, which needs the rights of root to hide what root may see.
    ...(limits.asNobody && isRoot ? nobody() : [SETPRIV, '--no-new-privs', WITH_US, '--']),
    ...command,
  ] as [string, ...string[]]
  for (const tool of words.filter((word) => [PRLIMIT, SETPRIV, UNSHARE].includes(word))) {
    await access(tool).catch((error: unknown) => {
      throw new Error(`${command[0]} cannot be held to its limits without ${tool}: ${messageOf(error)}`)
    })
  }
  return words
}

async function view([program]: Command, { sees, withoutNetwork, fileBytes }: RunLimits): Promise<readonly string[]> {
  if (sees === undefined || seesAll(sees) || (await whyNotHeld()) !== undefined) return []
  const commands = [SETPRIV, ...sees.commands]
  return [BWRAP, ...viewArguments(await viewOf(program, { ...sees, commands }, !withoutNetwork), fileBytes)]
}

function nobody(): readonly string[] {
  const ids = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
  return [SETPRIV, ...ids, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', WITH_US, '--']
}

/** Throws an Error when a limit could not be set: their exit code must not pass for the program's. */
export function requireConfined(program: string, { code, stderr }: CommandResult): void {
  const said = /^(?:prlimit|setpriv|unshare|bwrap): .*/.exec(stderr)?.[0]
  if (code !== 0 && said !== undefined) throw new Error(`${program} cannot be held to its limits: ${said}`)
}

/** Soft and hard limits alike. No core files: a program that crashes at each look must not fill a disk. */
function resources({ memoryBytes, cpuSeconds, fileBytes }: RunLimits): readonly string[] {
  return [PRLIMIT, `--data=${memoryBytes}`, `--cpu=${cpuSeconds}`, `--fsize=${fileBytes}`, '--core=0', '--']
}
