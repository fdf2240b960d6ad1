/**
 * Does what systemd runs here run? A unit that failed, one that comes up again and again, one that is wanted and not active;
 * and whether the host came up at all, or stopped in rescue mode, where it answers and starts nothing.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Host, NotApplicable } from './contract.ts'
import { type Counts, failedUnits, propertyBlocks, restartCounts, SYSTEMCTL, systemctl } from './reading/units.ts'

/** sd_booted(3): there on every host whose process 1 is systemd, and nowhere else. */
const BOOTED = '/run/systemd/system'
/** Of these detectors of their own tell, in their own words. */
const OTHERS_CONCERN = [
  'kubelet.service',
  'chrony.service',
  'chronyd.service',
  'ntp.service',
  'ntpd.service',
  'ntpsec.service',
]
/**
 * What others make for a container, a volume of a pod, a command or a crash, with its id in the name: each would be a finding
 * of its own for what the kubelet looks after, or is over.
 */
const OF_THE_MOMENT =
  /^(?:(?:cri-containerd|crio|crio-conmon|docker|libpod|libpod-conmon)-[0-9a-f]{64}\.scope|run-(?:[ru][0-9a-f]+|p\d+-i\d+)\.(?:scope|service)|var-lib-kubelet-(?:pods|plugins)-.+\.mount|systemd-coredump@.+\.service)$/
/** Coming up is not down; a unit that does so for ever is counted as restarting. */
const UP = ['active', 'reloading', 'activating', 'refreshing']

const unitName = z
  .string()
  .max(256)
  .regex(
    /^[\w@:.\\-]+\.(service|socket|target|mount|timer|path|slice|scope|automount|swap)$/,
    'must be a unit, as a.service',
  )

interface Sample {
  /** Of systemctl(1) is-system-running. */
  readonly system: string
  readonly failed: readonly string[]
  /** State by wanted unit: `active`, `inactive`, or `not-found`. */
  readonly wanted: Readonly<Record<string, string>>
  /** Automatic restarts by unit since it was last started by hand. */
  readonly restarts: Counts
}

export const systemdUnits = defineDetector({
  name: 'systemd-units',
  summary:
    'Whether the units of systemd run: failed ones, ones that restart again and again, and ones that are wanted.',
  every: '1m',
  timeout: '10s',
  needs: ['dbus'],
  touches: { paths: [BOOTED], commands: [...SYSTEMCTL] },
  options: z.strictObject({
    wanted: z.array(unitName).max(64).default([]).describe('Units that must be active on this host.'),
    ignore: z
      .array(unitName)
      .max(256)
      .default(OTHERS_CONCERN)
      .describe('Units that may fail. Replaces the default, the units that detectors of their own look after.'),
    restarts: z
      .int()
      .min(1)
      .default(5)
      .describe('Automatic restarts of one unit within ten looks from which it is a warning.'),
  }),
  reasons: {
    UnitFailed: {
      severity: 'warn',
      summary: 'A unit of systemd has failed and is not started again.',
      sustain: '0s',
      runbook: 'systemd-units',
    },
    UnitRestarting: {
      severity: 'warn',
      summary: 'A service ends and is started again and again.',
      sustain: '0s',
      runbook: 'systemd-units',
    },
    UnitNotActive: {
      severity: 'alarm',
      summary: 'A unit that this host must have is not active.',
      // Longer than a restart by hand.
      sustain: '30s',
      runbook: 'systemd-units',
      supersedes: 'UnitFailed',
    },
    SystemInRescue: {
      severity: 'alarm',
      summary: 'The host is in rescue or emergency mode: it came up without its services.',
      sustain: '0s',
      runbook: 'systemd-units',
    },
  },

  async sample(host, { wanted }, signal): Promise<Sample> {
    signal.throwIfAborted()
    if (!(await host.exists(BOOTED))) throw new NotApplicable('systemd is not the init of this host')
    const ask = (...words: readonly string[]) => systemctl(host, words, signal)
    const [manager] = propertyBlocks(await ask('show', '--property=SystemState'))
    const system = manager?.get('SystemState')
    if (system === undefined || system === '') throw new Error('systemctl does not say in which state the system is')
    return {
      system,
      failed: failedUnits(await ask('list-units', '--failed', '--plain', '--no-legend', '--full', '--all')).filter(
        (unit) => !OF_THE_MOMENT.test(unit),
      ),
      wanted: await statesOf(host, wanted, signal),
      restarts: restartCounts(await ask('show', '--property=Id,NRestarts', '*.service')),
    }
  },

  judge({ system, failed, wanted, restarts }, { ignore, restarts: limit }, past) {
    const down = Object.entries(wanted).filter(([, state]) => !UP.includes(state))
    const again = Object.keys(restarts)
      .map((unit) => ({ unit, times: growth(unit, [restarts, ...past.map((sample) => sample.restarts)]) }))
      .filter(({ unit, times }) => times >= limit && !failed.includes(unit))
    return [
      ...(system === 'maintenance'
        ? [
            {
              reason: 'SystemInRescue' as const,
              summary: `the system is in rescue or emergency mode, with ${counted(failed.length, 'failed unit')}`,
              evidence: [{ name: 'system state', value: system, limit: 'running', unit: '' }],
            },
          ]
        : []),
      ...down.map(([unit, state]) => ({
        reason: 'UnitNotActive' as const,
        cause: unit,
        summary: `${unit} is ${state}, and must be active here, with ${counted(Object.keys(wanted).length - 1, 'other unit')}`,
        evidence: [{ name: unit, value: state, limit: 'active', unit: '' }],
      })),
      ...failed
        .filter((unit) => !ignore.includes(unit))
        .map((unit) => ({
          reason: 'UnitFailed' as const,
          cause: unit,
          summary: `${unit} has failed, and ${counted(failed.length - 1, 'other unit')}`,
          evidence: [{ name: unit, value: 'failed', limit: 'active', unit: '' }],
        })),
      ...again
        .filter(({ unit }) => !ignore.includes(unit))
        .map(({ unit, times }) => ({
          reason: 'UnitRestarting' as const,
          cause: unit,
          summary: `${unit} was started again ${counted(times, 'time')} within the last ${counted(past.length + 1, 'look')}`,
          evidence: [{ name: `restarts of ${unit}`, value: times, limit, unit: 'restarts' }],
        })),
    ]
  },
})

/** How often it was restarted from the oldest of these to the newest, which comes first. A count that fell began anew. */
function growth(unit: string, newestFirst: readonly Counts[]): number {
  return newestFirst.reduce((total, counts, index) => {
    const before = newestFirst[index + 1]?.[unit]
    const now = counts[unit]
    return before === undefined || now === undefined ? total : total + Math.max(0, now - before)
  }, 0)
}

async function statesOf(host: Host, units: readonly string[], signal: AbortSignal): Promise<Sample['wanted']> {
  if (units.length === 0) return {}
  const said = await systemctl(host, ['show', '--property=LoadState,ActiveState', '--', ...units], signal)
  const blocks = propertyBlocks(said)
  if (blocks.length !== units.length)
    throw new Error(`systemctl told of ${blocks.length} units, not of ${units.length}`)
  return Object.fromEntries(
    units.map((unit, index) => {
      const isMissing = blocks[index]?.get('LoadState') === 'not-found'
      return [unit, isMissing ? 'not-found' : (blocks[index]?.get('ActiveState') ?? 'unknown')]
    }),
  )
}
