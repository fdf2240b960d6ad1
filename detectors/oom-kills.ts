/**
 * Does the kernel kill processes for want of memory? Those of a container at its own limit are the container's business and
 * only told; one for want of memory on the whole host means that the node is overfilled, and the victim can be anybody.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'

const VMSTAT = '/proc/vmstat'
/** Each has memory.events, whose `oom` counts how often a limit in it or below was hit (the kernel's cgroup-v2.rst). */
const CGROUPS = '/sys/fs/cgroup'

/**
 * Looks back to which kills are counted; limits that were hit, one look further. A look that falls between the two counts of
 * one kill has the limit and not the kill, and a window that began with it would take that for a kill of the whole host.
 */
const KILLS_SINCE = 9

interface Kills {
  /** Since boot, of any kind. */
  readonly killed: number
  /** Limits of cgroups hit since boot; undefined where the kernel does not tell (cgroups version 1). */
  readonly limitsHit: number | undefined
}

type OomReason = 'OomKills' | 'LimitOomKills' | 'SystemOomKills'

export const oomKills = defineDetector({
  name: 'oom-kills',
  summary: 'Whether the kernel has killed processes for want of memory within the last ten looks.',
  every: '1m',
  timeout: '5s',
  needs: [],
  touches: { paths: [VMSTAT, `${CGROUPS}/*/memory.events`] },
  options: z.strictObject({
    kills: z.int().min(1).default(1).describe('Number of kills within ten looks from which they are reported.'),
  }),
  reasons: {
    OomKills: {
      severity: 'warn',
      summary:
        'The kernel killed processes for want of memory; it does not tell whether of the host or of a container.',
      sustain: '0s',
      runbook: 'oom-kills',
    },
    LimitOomKills: {
      severity: 'info',
      summary: 'The kernel killed processes of a container or service that had reached its own limit of memory.',
      sustain: '0s',
      runbook: 'oom-kills',
    },
    SystemOomKills: {
      severity: 'alarm',
      summary: 'The kernel killed processes because the whole host was out of memory. The victim can be anybody.',
      sustain: '0s',
      runbook: 'oom-kills',
    },
  },

  async sample(host, _options, signal): Promise<Kills> {
    signal.throwIfAborted()
    const killed = /^oom_kill (\d{1,15})$/m.exec(await host.readText(VMSTAT))?.[1]
    if (killed === undefined) throw new Error(`${VMSTAT} does not count oom_kill, as kernels do since 4.13`)
    return { killed: Number(killed), limitsHit: await limitsHit(host, signal) }
  },

  judge(now, { kills }, past): readonly Judgement<OomReason>[] {
    const looks = looksOfThisBoot(now, past)
    const first = looks[Math.min(looks.length, KILLS_SINCE) - 1]
    const before = looks.at(-1)
    if (first === undefined || before === undefined) return []
    const killed = now.killed - first.killed
    if (killed < kills) return []
    const evidence = [{ name: 'oom_kill', value: killed, limit: kills, unit: 'processes' }]
    const told = `the kernel killed ${counted(killed, 'process', 'processes')} for want of memory`
    if (now.limitsHit === undefined || before.limitsHit === undefined) {
      return [{ reason: 'OomKills', summary: told, evidence }]
    }
    const hits = now.limitsHit - before.limitsHit
    if (hits > 0) {
      return [
        {
          reason: 'LimitOomKills',
          summary: `${told}: limits of containers or services were hit ${counted(hits, 'time')}`,
          evidence,
        },
      ]
    }
    return [{ reason: 'SystemOomKills', summary: `${told} on the whole host: no limit was hit`, evidence }]
  },
})

/** Samples back to which the counters only rose, newest first; none when this is the first look since the host started. */
function looksOfThisBoot(now: Kills, past: readonly Kills[]): readonly Kills[] {
  const fell = past.findIndex((earlier, index) => {
    const later = past[index - 1] ?? now
    return earlier.killed > later.killed || (earlier.limitsHit ?? 0) > (later.limitsHit ?? 0)
  })
  return fell < 0 ? past : past.slice(0, fell)
}

async function limitsHit(host: Host, signal: AbortSignal): Promise<number | undefined> {
  let sum: number | undefined
  for (const name of await namesOf(host)) {
    signal.throwIfAborted()
    const hits = await hitsOf(host, `${CGROUPS}/${name}/memory.events`)
    if (hits !== undefined) sum = (sum ?? 0) + hits
  }
  return sum
}

async function namesOf(host: Host): Promise<readonly string[]> {
  try {
    return await host.list(CGROUPS)
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

/** Undefined for what is no cgroup of version 2, or has no memory controller. */
async function hitsOf(host: Host, path: string): Promise<number | undefined> {
  try {
    const hits = /^oom (\d{1,15})$/m.exec(await host.readText(path))?.[1]
    if (hits === undefined) throw new Error(`${path} does not count oom`)
    return Number(hits)
  } catch (error) {
    if (error instanceof NotApplicable) return undefined
    throw error
  }
}
