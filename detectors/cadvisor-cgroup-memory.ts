/**
 * Does a stand-alone cadvisor eat its node? It keeps what it saw of each container, and is known to grow with every
 * container that comes and goes. Looked at is its own control group: against the limit that the kernel holds it to, an
 * absolute one that is wanted, and what it was before.
 */
import { z } from 'zod'
import { defineDetector, type Judgement, NotApplicable } from './contract.ts'
import { cadvisorCommands, cadvisorFinder } from './reading/cadvisor-process.ts'
import { type CgroupMemory, cgroupMemory, cgroupOf, cgroupTree } from './reading/cgroups.ts'

/** Ten looks back, 5 min each. Growth in each of them is no warming up of caches, which cadvisor keeps for 2 min. */
const GROWTH_LOOKS = 10
const MEBI = 1024 * 1024

const ratio = z.number().gt(0).lte(1)

interface Sample extends CgroupMemory {
  readonly pid: string
  readonly group: string
}

type Reason = 'CadvisorMemoryHigh' | 'CadvisorMemoryAlmostFull' | 'CadvisorMemoryOverWanted' | 'CadvisorMemoryGrows'

const finder = cadvisorFinder()

export const cadvisorCgroupMemory = defineDetector({
  name: 'cadvisor-cgroup-memory',
  summary: "How much memory a stand-alone cadvisor's control group holds, and whether it grows.",
  every: '5m',
  timeout: '10s',
  needs: [],
  touches: {
    paths: ['/proc/*/cmdline', '/proc/*/status', '/proc/*/cgroup', '/sys/fs/cgroup/**'],
  },
  options: z
    .strictObject({
      commands: cadvisorCommands(),
      warnRatio: ratio.default(0.8).describe('Share of the limit of its control group from which it is a warning.'),
      alarmRatio: ratio
        .default(0.95)
        .describe('Share of that limit from which it is an alarm: it is killed at all of it.'),
      wantedMaxBytes: z
        .int()
        .min(MEBI)
        .default(1_000 * MEBI)
        .describe(
          'More than this is a warning, limit or not. By default half of the limit in the manifest that cadvisor ships.',
        ),
      growthRatio: z
        .number()
        .gt(0)
        .default(0.5)
        .describe('A warning when it grew with each look of the last 50 min, in all by this share of what it was.'),
    })
    .refine(({ warnRatio, alarmRatio }) => warnRatio < alarmRatio, 'warnRatio must be below alarmRatio'),
  reasons: {
    CadvisorMemoryHigh: {
      severity: 'warn',
      summary: 'The stand-alone cadvisor comes near the limit of its memory.',
      sustain: '5m',
      runbook: 'cadvisor-cgroup-memory',
    },
    CadvisorMemoryAlmostFull: {
      severity: 'alarm',
      summary: 'The stand-alone cadvisor is about to be killed for want of memory, and figures of containers with it.',
      sustain: '0s',
      runbook: 'cadvisor-cgroup-memory',
      supersedes: 'CadvisorMemoryHigh',
    },
    CadvisorMemoryOverWanted: {
      severity: 'warn',
      summary: 'The stand-alone cadvisor takes more memory of the node than it is meant to.',
      sustain: '5m',
      runbook: 'cadvisor-cgroup-memory',
    },
    CadvisorMemoryGrows: {
      severity: 'warn',
      summary: 'The memory of the stand-alone cadvisor grows without a pause: it will be killed, or others for it.',
      sustain: '0s',
      runbook: 'cadvisor-cgroup-memory',
    },
  },

  async sample(host, { commands }, signal) {
    signal.throwIfAborted()
    const tree = await cgroupTree(host)
    const { found } = await finder.find(host, commands, signal)
    const pid = found[0]?.id
    const group = pid === undefined ? undefined : await cgroupOf(host, tree, pid)
    if (pid === undefined || group === undefined) throw new NotApplicable('no stand-alone cadvisor runs here')
    // The root has no figures of its own: what runs there is not told from the rest of the host.
    if (group === '/') throw new NotApplicable(`cadvisor, process ${pid}, is in no control group of its own`)
    signal.throwIfAborted()
    return { pid, group, ...(await cgroupMemory(host, tree, group)) }
  },

  judge(sample, options, past) {
    return [
      ...judgeLimit(sample, options),
      ...judgeWanted(sample, options.wantedMaxBytes),
      ...judgeGrowth(sample, options.growthRatio, past),
    ]
  },
})

function judgeLimit(
  { workingSetBytes, limitBytes }: Sample,
  { warnRatio, alarmRatio }: { readonly warnRatio: number; readonly alarmRatio: number },
): readonly Judgement<Reason>[] {
  if (limitBytes === undefined || limitBytes <= 0) return []
  const share = workingSetBytes / limitBytes
  if (share < warnRatio) return []
  const reasons: readonly Reason[] =
    share < alarmRatio ? ['CadvisorMemoryHigh'] : ['CadvisorMemoryHigh', 'CadvisorMemoryAlmostFull']
  const summary = `cadvisor holds ${mebibytes(workingSetBytes)} of the ${mebibytes(limitBytes)} MiB of its control group`
  const evidence = [{ name: 'working set', value: workingSetBytes, limit: limitBytes, unit: 'bytes' }]
  return reasons.map((reason) => ({ reason, summary, evidence }))
}

function judgeWanted({ workingSetBytes }: Sample, limit: number): readonly Judgement<Reason>[] {
  if (workingSetBytes <= limit) return []
  const summary = `cadvisor holds ${mebibytes(workingSetBytes)} MiB, and ${mebibytes(limit)} MiB are wanted at most`
  const evidence = [{ name: 'working set', value: workingSetBytes, limit, unit: 'bytes' }]
  return [{ reason: 'CadvisorMemoryOverWanted', summary, evidence }]
}

/** Of one life in one group: a restart begins anew, and says nothing. */
function judgeGrowth(now: Sample, growthRatio: number, past: readonly Sample[]): readonly Judgement<Reason>[] {
  const looks = [now, ...past.slice(0, GROWTH_LOOKS)]
  const first = looks.at(-1)
  if (looks.length <= GROWTH_LOOKS || first === undefined || first.workingSetBytes <= 0) return []
  const isOne = looks.every(({ pid, group }) => pid === now.pid && group === now.group)
  const grewEachTime = looks
    .slice(1)
    .every((earlier, index) => earlier.workingSetBytes < (looks[index] as Sample).workingSetBytes)
  const growth = now.workingSetBytes / first.workingSetBytes - 1
  if (!isOne || !grewEachTime || growth < growthRatio) return []
  const summary = `cadvisor grew from ${mebibytes(first.workingSetBytes)} to ${mebibytes(now.workingSetBytes)} MiB in ${GROWTH_LOOKS} looks, with each of them`
  const evidence = [
    { name: 'growth', value: Math.round(growth * 100), limit: Math.round(growthRatio * 100), unit: 'percent' },
  ]
  return [{ reason: 'CadvisorMemoryGrows', summary, evidence }]
}

const mebibytes = (bytes: number) => Math.floor(bytes / MEBI)
