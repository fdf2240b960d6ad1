/**
 * Does something keep this host's clock right? A clock drifts by seconds a week on its own, so a daemon that has died, or
 * has lost its servers, is found here long before clock-skew can see what comes of it.
 */
import { z } from 'zod'
import { defineDetector, type Host, NotApplicable } from './contract.ts'
import { commandLineOf, processIds, processStatusOf } from './reading/processes.ts'
import { TIME_COMMANDS, type TimeSync, timeSync } from './reading/time-sync.ts'

/** Programs: chrony; ntp, ntpsec and openntpd, which all call theirs ntpd; systemd's. */
const DAEMONS = ['chronyd', 'ntpd', 'systemd-timesyncd']
/** Their units as the distributions name them. */
const UNITS = ['chrony', 'chronyd', 'ntp', 'ntpd', 'ntpsec', 'openntpd', 'systemd-timesyncd'].map((unit) => `${unit}.service`)
/** Where an enabled unit has its link. */
const WANTED = ['/etc/systemd/system/multi-user.target.wants', '/etc/systemd/system/sysinit.target.wants']

interface Sample {
  /** Names of the enabled units. */
  readonly enabled: readonly string[]
  /** What runs. */
  readonly running: readonly string[]
  readonly sync: TimeSync | undefined
}

export const timeDaemon = defineDetector({
  name: 'time-daemon',
  summary: "Whether a time daemon runs and keeps the host's clock synchronised.",
  every: '30s',
  timeout: '10s',
  needs: [],
  touches: { paths: ['/proc', '/proc/*', ...WANTED, '/proc/*/cmdline', '/proc/*/status'], commands: TIME_COMMANDS },
  options: z.strictObject({
    daemons: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(16)
      .default(DAEMONS)
      .describe('Names of programs of which one is to run, without their folder.'),
    required: z
      .boolean()
      .default(false)
      .describe('One must run even where none is enabled in systemd, as on hosts with another init.'),
  }),
  reasons: {
    TimeDaemonDown: {
      severity: 'warn',
      summary: 'No time daemon runs, though one is meant to: the clock drifts from now on.',
      // Longer than a restart, as in an upgrade.
      sustain: '1m',
      runbook: 'time-daemon',
    },
    TimeNotSynchronised: {
      severity: 'warn',
      summary: 'The time daemon runs and has no source to follow: the clock drifts from now on.',
      // A daemon that starts takes a few polls to choose a source: 64 s each, by default, once its first burst has failed.
      sustain: '5m',
      runbook: 'time-daemon',
    },
  },

  async sample(host, { daemons, required }, signal): Promise<Sample> {
    signal.throwIfAborted()
    const enabled = await enabledUnits(host)
    const running = await runningDaemons(host, daemons, signal)
    if (enabled.length === 0 && running.length === 0 && !required) {
      throw new NotApplicable('no time daemon runs here, and none is enabled')
    }
    return { enabled, running, sync: running.length === 0 ? undefined : await timeSync(host, signal) }
  },

  judge({ enabled, running, sync }, { daemons }) {
    if (running.length === 0) {
      const meant = enabled.length === 0 ? 'one is required' : `${enabled.join(', ')} is enabled`
      return [
        {
          reason: 'TimeDaemonDown',
          summary: `none of ${daemons.length} time daemons runs, and ${meant}`,
          evidence: [{ name: 'time daemons', value: 0, limit: 1, unit: 'processes' }],
        },
      ]
    }
    if (sync === undefined || sync.isSynchronised) return []
    return [
      {
        reason: 'TimeNotSynchronised',
        summary: `${running[0]} runs, and ${sync.by} says that the clock is not synchronised: ${sync.why}`,
        evidence: [{ name: 'synchronised', value: 0, limit: 1, unit: '' }],
      },
    ]
  },
})

async function enabledUnits(host: Host): Promise<readonly string[]> {
  const names = await Promise.all(WANTED.map((folder) => namesIn(host, folder)))
  return names.flat().filter((name) => UNITS.includes(name))
}

async function namesIn(host: Host, folder: string): Promise<readonly string[]> {
  try {
    return await host.list(folder)
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

/** Programs in containers do not count: they cannot set the clock. */
async function runningDaemons(host: Host, daemons: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  if (!(await host.exists('/proc/1'))) return []
  const running: string[] = []
  for (const id of await processIds(host)) {
    signal.throwIfAborted()
    const [program = ''] = await commandLineOf(host, id)
    // openntpd writes `ntpd: ntp engine` over its command line.
    const name = program.slice(program.lastIndexOf('/') + 1).replace(/:.*$/s, '')
    if (!daemons.includes(name)) continue
    const status = await processStatusOf(host, id)
    if (status !== undefined && !status.isContained && status.state !== 'T') running.push(name)
  }
  return [...new Set(running)]
}
