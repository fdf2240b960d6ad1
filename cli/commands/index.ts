/** What the `starling` command can do. */
import type { Command } from 'commander'

/**
 * By its first word, in the order of their use: run a mesh, look at it, act, and the processes it is made of. Only the one
 * that is asked for is loaded: of all of them, a process that has no use for them would keep megabytes.
 */
export const COMMANDS = new Map<string, () => Promise<(program: Command) => void>>([
  ['up', async () => (await import('./up.ts')).registerUp],
  ['members', async () => (await import('./members.ts')).registerMembers],
  ['mesh', async () => (await import('./mesh.ts')).registerMesh],
  ['roster', async () => (await import('./roster.ts')).registerRoster],
  ['settings', async () => (await import('./settings.ts')).registerSettings],
  ['findings', async () => (await import('./findings.ts')).registerFindings],
  ['inspect', async () => (await import('./inspect.ts')).registerInspect],
  ['alerts', async () => (await import('./alerts.ts')).registerAlerts],
  ['silence', async () => (await import('./silence.ts')).registerSilence],
  ['notify', async () => (await import('./notify.ts')).registerNotify],
  ['usage', async () => (await import('./usage.ts')).registerUsage],
  ['measures', async () => (await import('./measures.ts')).registerMeasures],
  ['detectors', async () => (await import('./detectors.ts')).registerDetectors],
  ['plugin', async () => (await import('./plugin.ts')).registerPlugin],
  ['events', async () => (await import('./events.ts')).registerEvents],
  ['explain', async () => (await import('./explain.ts')).registerExplain],
  ['report', async () => (await import('./report.ts')).registerReport],
  ['plan', async () => (await import('./plan.ts')).registerPlan],
  ['remediations', async () => (await import('./remediations.ts')).registerRemediations],
  ['policies', async () => (await import('./policies.ts')).registerPolicies],
  ['people', async () => (await import('./people.ts')).registerPeople],
  ['verify', async () => (await import('./verify.ts')).registerVerify],
  ['audit', async () => (await import('./audit.ts')).registerAudit],
  ['history', async () => (await import('./history.ts')).registerHistory],
  ['chaos', async () => (await import('./chaos.ts')).registerChaos],
  ['sim', async () => (await import('./sim.ts')).registerSim],
  ['import', async () => (await import('./import.ts')).registerImport],
  ['agent', async () => (await import('./agent.ts')).registerAgent],
  ['fixer', async () => (await import('./fixer.ts')).registerFixer],
  ['aggregator', async () => (await import('./aggregator.ts')).registerAggregator],
  ['stand-in', async () => (await import('./stand-in.ts')).registerStandIn],
  ['uninstall', async () => (await import('./uninstall.ts')).registerUninstall],
])
