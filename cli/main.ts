#!/usr/bin/env node
/** The `starling` command: every part of it, under one name. */
import { Command, CommanderError } from 'commander'
import { ExitCode, StarlingError } from '../common/errors.ts'
import packageJson from '../package.json' with { type: 'json' }
import { COMMANDS } from './commands/index.ts'

async function main(): Promise<void> {
  const program = new Command('starling')
    .description(
      'Node health for Kubernetes: a gossip mesh that finds dead nodes and host faults, and fixes what it may.',
    )
    .version(packageJson.version)
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    requireNode(process.versions.node)
    for (const load of wanted(process.argv[2])) (await load())(program)
    exitOverrideAll(program)
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** All of them where the first word is none: for the help, and for what a wrong word may have meant. */
function wanted(word = '') {
  const load = COMMANDS.get(word)
  return load === undefined ? COMMANDS.values() : [load]
}

/** Throws a StarlingError below the version that package.json names. */
function requireNode(version: string): void {
  const oldest = packageJson.engines.node.replace('>=', '')
  if (version.localeCompare(oldest, 'en', { numeric: true }) >= 0) return
  throw new StarlingError(`Node ${version} is too old`, {
    remedy: `run it with Node ${oldest} or newer: ${process.execPath} is what runs it now`,
  })
}

/** Commander ends the process with 1 for a wrong word; ours is 2. */
function exitOverrideAll(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) exitOverrideAll(child)
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  if (error instanceof StarlingError) {
    process.stderr.write(`starling: ${error.message}\n`)
    if (error.remedy !== undefined) process.stderr.write(`  ${error.remedy}\n`)
    return error.exitCode
  }
  process.stderr.write(
    `starling: ${error instanceof Error ? error.stack : String(error)}\nThis is a bug; please report it.\n`,
  )
  return ExitCode.error
}

await main()
// What a failed start has left behind must not keep the process; a running command has not returned here.
process.exit()
