/**
 * A host that can be changed and thrown away: a copy of a recorded one. What a remediator writes goes through the very hands
 * that it has on a node, and lands in the copy; the programs that it runs are stood in for by functions.
 */
import { cp, lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { CommandResult, Host, Touches } from '../../detectors/contract.ts'
import { fixtureHost } from '../../detectors/testing/fixture-host.ts'
import type { Control } from '../contract.ts'
import { createControl } from '../control.ts'

/** What a program does when it is run with `args` on the host whose files lie below `root`; what is left out of its result is 0 or empty. */
export type StandIn = (args: readonly string[], root: string) => Promise<Partial<CommandResult>>

export interface ScratchHost {
  /** The folder that its files lie in. */
  readonly root: string
  readonly host: Host
  /** The hands of a remediator that touches this. */
  control(touches: Touches): Control
  /** Each file by its path on the host, with its mode. */
  snapshot(): Promise<ReadonlyMap<string, string>>
  remove(): Promise<void>
}

/** `recorded` is the folder of a recorded host (detectors/testing/fixture-host.ts); `programs` by absolute path. */
export async function scratchHost(
  recorded: string,
  programs: Readonly<Record<string, StandIn>> = {},
): Promise<ScratchHost> {
  const root = await mkdtemp(join(tmpdir(), 'starling-scratch-'))
  await cp(recorded, root, { recursive: true, verbatimSymlinks: true })
  const files = fixtureHost(root)
  const host: Host = {
    ...files,
    run: async (command, options) => {
      const [program, ...args] = command
      const standIn = programs[program]
      if (standIn === undefined) return files.run(command, options)
      options.signal.throwIfAborted()
      const result = await standIn(args, root)
      return { code: 0, signal: null, stdout: '', stderr: '', truncated: false, ...result }
    },
  }
  return {
    root,
    host,
    control: (touches) => createControl({ host, root, touches }),
    snapshot: () => snapshot(root),
    remove: () => rm(root, { recursive: true }),
  }
}

async function snapshot(root: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const found = new Map<string, string>()
  for (const file of files.sort()) {
    const { mode } = await lstat(file)
    found.set(`/${relative(root, file)}`, `${(mode & 0o7777).toString(8)} ${await readFile(file, 'latin1')}`)
  }
  return found
}
