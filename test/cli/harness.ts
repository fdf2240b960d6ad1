/** The commands that talk to an aggregator, as a program of their own, and how a test runs it. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { registerAlerts } from '../../cli/commands/alerts.ts'
import { registerAudit } from '../../cli/commands/audit.ts'
import { registerEvents } from '../../cli/commands/events.ts'
import { registerExplain } from '../../cli/commands/explain.ts'
import { registerFindings } from '../../cli/commands/findings.ts'
import { registerHistory } from '../../cli/commands/history.ts'
import { registerInspect } from '../../cli/commands/inspect.ts'
import { registerMembers } from '../../cli/commands/members.ts'
import { registerMesh } from '../../cli/commands/mesh.ts'
import { registerNotify } from '../../cli/commands/notify.ts'
import { registerPeople } from '../../cli/commands/people.ts'
import { registerPlan } from '../../cli/commands/plan.ts'
import { registerPolicies } from '../../cli/commands/policies.ts'
import { registerRemediations } from '../../cli/commands/remediations.ts'
import { registerRoster } from '../../cli/commands/roster.ts'
import { registerSettings } from '../../cli/commands/settings.ts'
import { registerSilence } from '../../cli/commands/silence.ts'
import { registerSim } from '../../cli/commands/sim.ts'
import { registerUninstall } from '../../cli/commands/uninstall.ts'
import { registerUsage } from '../../cli/commands/usage.ts'
import { StarlingError } from '../../common/errors.ts'

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export function start(args: readonly string[], { env = {}, cwd = process.cwd() }: RunOptions = {}) {
  const { STARLING_URL: _url, STARLING_TOKEN: _token, STARLING_PEOPLE: _people, ...clean } = process.env
  return spawn(process.execPath, [import.meta.filename, ...args], {
    cwd,
    env: { ...clean, TZ: 'Asia/Kathmandu', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

export async function run(args: readonly string[], options: RunOptions = {}) {
  const child = start(args, options)
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exited])
  return { stdout, stderr, code }
}

async function main(): Promise<void> {
  const program = new Command('starling')
  for (const register of [
    registerMembers,
    registerMesh,
    registerRoster,
    registerSettings,
    registerExplain,
    registerEvents,
    registerFindings,
    registerHistory,
    registerInspect,
    registerAlerts,
    registerSilence,
    registerNotify,
    registerUsage,
    registerPolicies,
    registerPeople,
    registerRemediations,
    registerPlan,
    registerAudit,
    registerUninstall,
    registerSim,
  ]) {
    register(program)
  }
  try {
    await program.parseAsync()
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    process.stderr.write(`${error.message}\n${error.remedy ?? ''}\n`)
    process.exitCode = error.exitCode
  }
}

if (import.meta.main) await main()
