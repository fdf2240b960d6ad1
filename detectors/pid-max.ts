/**
 * Are there numbers left for new processes and threads? Each thread takes one of kernel.pid_max, the kernel allows
 * kernel.threads-max of them, and a cgroup, such as that of all pods, can have a limit of its own (pids.max). At the limit
 * fork fails: no program starts any more, also not the shell in which somebody would look.
 */
import { z } from 'zod'
import { defineDetector, type Host, type Judgement, NotApplicable } from './contract.ts'
import { IN_ORDER, inOrder, percent, ratio, reached } from './reading/levels.ts'

const LOADAVG = '/proc/loadavg'
const PID_MAX = '/proc/sys/kernel/pid_max'
const THREADS_MAX = '/proc/sys/kernel/threads-max'
/** Of cgroups version 2, and of version 1. */
const CGROUP_ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/pids']
/** What the kubelet limits by podPidsLimit and its reservations, by its two cgroup drivers; and the host's services. */
const CGROUPS = ['kubepods.slice', 'kubepods', 'system.slice']

interface Use {
  /** Empty: the whole host. */
  readonly cgroup: string
  readonly used: number
  readonly limit: number
  readonly of: string
}

export const pidMax = defineDetector({
  name: 'pid-max',
  summary: 'How many processes and threads there still can be.',
  every: '30s',
  timeout: '5s',
  needs: [],
  touches: { paths: [LOADAVG, PID_MAX, THREADS_MAX, '/sys/fs/cgroup/**'] },
  options: z
    .strictObject({
      // Vendors' detectors warn at 70 % and raise an alarm at 90 %.
      warnRatio: ratio.default(0.7).describe('Share of the limit in use from which it is a warning.'),
      alarmRatio: ratio.default(0.9).describe('Share of the limit in use from which it is an alarm.'),
      cgroups: z
        .array(
          z
            .string()
            .regex(/^[^/.][^/]*(\/[^/.][^/]*)*$/, 'must be a path below the root of cgroups, as in kubepods.slice'),
        )
        .max(64)
        .default(CGROUPS)
        .describe('Cgroups whose own limit is looked at too; those that this host does not have are skipped.'),
    })
    .refine(inOrder, IN_ORDER),
  reasons: {
    PidsLow: {
      severity: 'warn',
      summary: 'Numbers for processes and threads are running out; at the limit no program can be started.',
      sustain: '1m',
      runbook: 'pid-max',
    },
    PidsExhausted: {
      severity: 'alarm',
      summary: 'There are all but no numbers for processes left: programs and threads fail to start.',
      sustain: '0s',
      runbook: 'pid-max',
      supersedes: 'PidsLow',
    },
  },

  async sample(host, { cgroups }, signal) {
    signal.throwIfAborted()
    const uses: Use[] = [await useOfHost(host)]
    for (const cgroup of cgroups) {
      signal.throwIfAborted()
      uses.push(...(await useOfCgroup(host, cgroup)))
    }
    return uses
  },

  judge(uses, options) {
    return uses.flatMap(({ cgroup, used, limit, of }): readonly Judgement<'PidsLow' | 'PidsExhausted'>[] => {
      const share = used / limit
      const who = cgroup === '' ? 'the host' : `the cgroup ${cgroup}`
      const summary = `${who} has ${used} processes and threads of ${limit} that ${of} allows (${percent(share)})`
      const evidence = [{ name: 'processes and threads', value: used, limit, unit: '' }]
      return reached(share, options, 'PidsLow', 'PidsExhausted').map((reason) => ({
        reason,
        cause: cgroup,
        summary,
        evidence,
      }))
    })
  },
})

async function useOfHost(host: Host): Promise<Use> {
  const used = /^(?:\d+\.\d\d ){3}\d+\/(\d{1,9}) \d+$/.exec((await host.readText(LOADAVG)).trim())?.[1]
  if (used === undefined) throw new Error(`${LOADAVG} is not of the form of proc(5)`)
  const pids = await host.readInt(PID_MAX)
  const threads = await host.readInt(THREADS_MAX)
  if (pids <= 0 || threads <= 0) throw new Error(`${PID_MAX} or ${THREADS_MAX} is no limit that there can be`)
  const of = pids <= threads ? 'kernel.pid_max' : 'kernel.threads-max'
  return { cgroup: '', used: Number(used), limit: Math.min(pids, threads), of }
}

/** None where there is no such cgroup, or where it has no limit ("max"). */
async function useOfCgroup(host: Host, cgroup: string): Promise<readonly Use[]> {
  for (const root of CGROUP_ROOTS) {
    const folder = `${root}/${cgroup}`
    try {
      if ((await host.readText(`${folder}/pids.max`)).trim() === 'max') return []
      const limit = await host.readInt(`${folder}/pids.max`)
      const used = await host.readInt(`${folder}/pids.current`)
      if (limit > 0) return [{ cgroup, used, limit, of: 'its pids.max' }]
    } catch (error) {
      if (!(error instanceof NotApplicable)) throw error
    }
  }
  return []
}
