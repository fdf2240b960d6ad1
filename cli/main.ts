#!/usr/bin/env node
/** The `starling` command: every part of it, under one name. */
import { Command, CommanderError } from 'commander'
import { ExitCode, StarlingError } from '../common/errors.ts'
import packageJson from '../package.json' with { type: 'json' }
import { registerAgent } from './commands/agent.ts'
import { registerAggregator } from './commands/aggregator.ts'
import { registerAlerts } from './commands/alerts.ts'
import { registerAudit } from './commands/audit.ts'
import { registerChaos } from './commands/chaos.ts'
import { registerDetectors } from './commands/detectors.ts'
import { registerEvents } from './commands/events.ts'
import { registerExplain } from './commands/explain.ts'
import { registerFindings } from './commands/findings.ts'
import { registerFixer } from './commands/fixer.ts'
import { registerHistory } from './commands/history.ts'
import { registerImport } from './commands/import.ts'
import { registerInspect } from './commands/inspect.ts'
import { registerMeasures } from './commands/measures.ts'
import { registerMembers } from './commands/members.ts'
import { registerMesh } from './commands/mesh.ts'
import { registerNotify } from './commands/notify.ts'
import { registerPeople } from './commands/people.ts'
import { registerPlan } from './commands/plan.ts'
import { registerPlugin } from './commands/plugin.ts'
import { registerPolicies } from './commands/policies.ts'
import { registerRemediations } from './commands/remediations.ts'
import { registerReport } from './commands/report.ts'
import { registerRoster } from './commands/roster.ts'
import { registerSettings } from './commands/settings.ts'
import { registerSilence } from './commands/silence.ts'
import { registerSim } from './commands/sim.ts'
import { registerStandIn } from './commands/stand-in.ts'
import { registerUninstall } from './commands/uninstall.ts'
import { registerUp } from './commands/up.ts'
import { registerUsage } from './commands/usage.ts'
import { registerVerify } from './commands/verify.ts'

/** In the order of their use: run a mesh, look at it, act, and the processes it is made of. */
const COMMANDS = [
  registerUp,
  registerMembers,
  registerMesh,
  registerRoster,
  registerSettings,
  registerFindings,
  registerInspect,
  registerAlerts,
  registerSilence,
  registerNotify,
  registerUsage,
  registerMeasures,
  registerDetectors,
  registerPlugin,
  registerEvents,
  registerExplain,
  registerReport,
  registerPlan,
  registerRemediations,
  registerPolicies,
  registerPeople,
  registerVerify,
  registerAudit,
  registerHistory,
  registerChaos,
  registerSim,
  registerImport,
  registerAgent,
  registerFixer,
  registerAggregator,
  registerStandIn,
  registerUninstall,
]

async function main(): Promise<void> {
  const program = new Command('starling')
    .description(
      'Node health for Kubernetes: a gossip mesh that finds dead nodes and host faults, and fixes what it may.',
    )
    .version(packageJson.version)
  for (const register of COMMANDS) register(program)
  exitOverrideAll(program)
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    requireNode(process.versions.node)
    await program.parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

/** Throws a StarlingError below the version that package.json names. */
function requireNode(version: string): void {
  const wanted = packageJson.engines.node.replace('>=', '')
  if (version.localeCompare(wanted, 'en', { numeric: true }) >= 0) return
  throw new StarlingError(`Node ${version} is too old`, {
    remedy: `run it with Node ${wanted} or newer: ${process.execPath} is what runs it now`,
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
