/**
 * Does something keep this host's clock right? A clock drifts by seconds a week on its own, so a daemon that has died, or
 * has lost its servers, is found here long before clock-skew can see what comes of it.
 */
import { z } from 'zod'
import { defineDetector, type Host, NotApplicable } from './contract.ts'
import { commandsOption, DaemonFinder, type DaemonSearch, isRunning, whyNotRunning } from './reading/daemons.ts'
import { TIME_COMMANDS, type TimeSync, timeSync } from './reading/time-sync.ts'

/** Of chrony; of ntp and ntpsec, which both call theirs so; of systemd. */
const COMMANDS = ['chronyd', 'ntpd', 'systemd-timesyncd']
/** Their units as the distributions name them. */
const UNITS = ['chrony', 'chronyd', 'ntp', 'ntpd', 'ntpsec', 'systemd-timesyncd'].map((unit) => `${unit}.service`)
/** Where an enabled unit has its link. */
const WANTED = ['/etc/systemd/system/multi-user.target.wants', '/etc/systemd/system/sysinit.target.wants']

interface Sample {
  /** Names of the enabled units. */
  readonly enabled: readonly string[]
  readonly search: DaemonSearch
  readonly sync: TimeSync | undefined
}

const daemon = new DaemonFinder()

export const timeDaemon = defineDetector({
  name: 'time-daemon',
  summary: "Whether a time daemon runs and keeps the host's clock synchronised.",
  every: '30s',
  timeout: '10s',
  needs: [],
  touches: {
    paths: ['/proc/*/cmdline', '/proc/*/status', ...WANTED.map((folder) => `${folder}/*`)],
    commands: TIME_COMMANDS,
  },
  options: z.strictObject({
    commands: commandsOption(COMMANDS, "a time daemon's"),
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

  async sample(host, { commands, required }, signal): Promise<Sample> {
    signal.throwIfAborted()
    const enabled = await enabledUnits(host)
    const search = await daemon.find(host, commands, signal)
    if (isRunning(search)) return { enabled, search, sync: await timeSync(host, signal) }
    if (enabled.length === 0 && search.found.length === 0 && !required) {
      throw new NotApplicable('no time daemon runs here, and none is enabled')
    }
    return { enabled, search, sync: undefined }
  },

  judge({ enabled, search, sync }) {
    const why = whyNotRunning(search, 'a time daemon')
    if (why !== undefined) {
      const meant = enabled.length === 0 ? '' : `, and ${enabled.join(', ')} is enabled`
      return [
        {
          reason: 'TimeDaemonDown',
          summary: why + meant,
          evidence: [{ name: 'time daemons', value: 0, limit: 1, unit: 'processes' }],
        },
      ]
    }
    if (sync === undefined || sync.isSynchronised) return []
    return [
      {
        reason: 'TimeNotSynchronised',
        summary: `a time daemon runs, and by ${sync.by} the clock follows 0 sources: ${sync.why}`,
        evidence: [{ name: 'synchronised', value: 'no', limit: 'yes', unit: '' }],
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
