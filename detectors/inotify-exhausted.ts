/**
 * Is a user about to run out of inotify instances or watches? Then `tail -f`, the kubelet, containerd and whatever else
 * follows files fails with "too many open files" or "no space left on device", while neither files nor space are short.
 * Most of what runs in containers is the host's root, and shares its limits.
 */
import { z } from 'zod'
import { defineDetector, type Judgement } from './contract.ts'
import { type InotifyUse, scanInotify } from './reading/inotify.ts'
import { IN_ORDER, inOrder, type Ratios, ratio, reached } from './reading/levels.ts'

const LIMITS = '/proc/sys/fs/inotify'

type Reason = 'InotifyFilling' | 'InotifyExhausted'

export const inotifyExhausted = defineDetector({
  name: 'inotify-exhausted',
  summary: 'How many of their inotify instances and watches users have in use.',
  every: '30s',
  timeout: '10s',
  needs: ['CAP_DAC_READ_SEARCH', 'CAP_SYS_PTRACE'],
  touches: {
    paths: [
      `${LIMITS}/max_user_instances`,
      `${LIMITS}/max_user_watches`,
      '/proc/*/status',
      '/proc/*/fd/*',
      '/proc/*/fdinfo/*',
    ],
  },
  options: z
    .strictObject({
      warnRatio: ratio.default(0.8).describe('Share of either limit in use by one user from which it is a warning.'),
      alarmRatio: ratio
        .default(0.95)
        .describe(
          'Share from which it is an alarm: of the 128 instances that are the default of the kernel, 6 are left.',
        ),
      linksMax: z
        .int()
        .min(100)
        .max(100_000)
        .default(200)
        .describe(
          'Open files that one look goes through; what is left over is for the next. Bounds what a look costs.',
        ),
    })
    .refine(inOrder, IN_ORDER),
  reasons: {
    InotifyFilling: {
      severity: 'warn',
      summary: 'A user has few inotify instances or watches left; programs that follow files will fail to start.',
      sustain: '1m',
      runbook: 'inotify-exhausted',
    },
    InotifyExhausted: {
      severity: 'alarm',
      summary:
        'A user has almost no inotify instances or watches left: pods that follow files crash, logs are not followed.',
      sustain: '0s',
      runbook: 'inotify-exhausted',
      supersedes: 'InotifyFilling',
    },
  },

  async sample(host, { linksMax }, signal) {
    signal.throwIfAborted()
    const instancesMax = await host.readInt(`${LIMITS}/max_user_instances`)
    const watchesMax = await host.readInt(`${LIMITS}/max_user_watches`)
    return { instancesMax, watchesMax, uses: await scanInotify(host, linksMax, signal) }
  },

  judge({ instancesMax, watchesMax, uses }, levels) {
    return uses.flatMap((use) => [
      ...judgeUse(use, 'instances', instancesMax, levels),
      ...judgeUse(use, 'watches', watchesMax, levels),
    ])
  },
})

function judgeUse(
  use: InotifyUse,
  kind: 'instances' | 'watches',
  limit: number,
  ratios: Ratios,
): readonly Judgement<Reason>[] {
  // A limit of 0 takes inotify away on purpose.
  if (limit <= 0) return []
  const used = use[kind]
  const judgement = {
    cause: `uid ${use.uid} ${kind}`,
    summary: `user ${use.uid} has ${used} of ${limit} inotify ${kind} in use, most of them process ${use.most.id} (${use.most.name})`,
    evidence: [{ name: `max_user_${kind}`, value: used, limit, unit: kind }],
  }
  return reached(used / limit, ratios, 'InotifyFilling', 'InotifyExhausted').map((reason) => ({ reason, ...judgement }))
}
