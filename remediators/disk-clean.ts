/**
 * Frees a disk that runs full of what nobody misses: old journals and rotated logs, endless logs of containers, unused images.
 * Only what is on that disk, and each with what it frees; nothing that is not on its list. What is gone cannot be brought back.
 */
import { z } from 'zod'
import { type Host, JOURNALCTL, NotApplicable } from '../detectors/contract.ts'
import { type Change, defineRemediator, type Plan } from './contract.ts'
import type { Cleaner, FullDisk, Waste } from './disk/cleaner.ts'
import { deviceOf, FIND } from './disk/files.ts'
import { CRICTL, images, KUBELET_CONFIG, STATIC_PODS } from './disk/images.ts'
import { journal } from './disk/journal.ts'
import { containerLogs, rotatedLogs, WRITES } from './disk/logs.ts'

/** In the order in which they are missed least. */
const CLEANERS: readonly Cleaner[] = [rotatedLogs, journal, containerLogs, images]

export const diskClean = defineRemediator({
  name: 'disk-clean',
  summary: 'Frees a full disk of old journals and rotated logs, of endless logs of containers, and of unused images.',
  handles: ['DiskSpaceLow', 'DiskAlmostFull'],
  reach: 'none',
  risk: 'medium',
  reversible: false,
  loses: 'old logs, and images that the registry still has',
  timeout: '2m',
  touches: {
    paths: [...WRITES, KUBELET_CONFIG, `${STATIC_PODS}/*`, ...CRICTL],
    filesystems: ['/**'],
    commands: [FIND, JOURNALCTL, ...CRICTL],
    writes: WRITES,
  },
  options: z.strictObject({
    rotatedLogDays: z
      .int()
      .min(1)
      .default(7)
      .describe('Days after its last line from which a rotated log below /var/log may go.'),
    containerLogMiB: z
      .int()
      .min(16)
      .default(1_024)
      .describe('Size in MiB from which the log that Docker keeps of a container is emptied.'),
    journalMiB: z.int().min(16).default(512).describe('MiB of the journal of systemd that are kept.'),
    images: z
      .boolean()
      .default(true)
      .describe("Whether unused images go, once the disk is over the kubelet's own threshold for that."),
  }),

  async inspect(host, { cause }, options, signal): Promise<readonly Waste[]> {
    const disk = { mountPoint: cause, device: await deviceOf(host, cause, signal) }
    const found: Waste[] = []
    let failure: unknown
    for (const cleaner of CLEANERS) {
      // That a runtime does not answer, as on a full disk, is no reason to leave the logs.
      found.push(
        ...(await cleaner.find(host, disk, options, signal).catch((error: unknown) => {
          signal.throwIfAborted()
          failure ??= error
          return []
        })),
      )
    }
    if (found.length === 0 && failure !== undefined) throw failure
    if (found.length === 0) throw new NotApplicable(`nothing on ${cause} is of a kind that may go`)
    return found
  },

  plan(_finding, _options, found) {
    return found.map((waste) => ({ ...waste, undo: '# what is gone cannot be brought back' }))
  },

  async apply(plan, control, signal) {
    const disk = { mountPoint: plan.cause, device: await deviceOf(control.host, plan.cause, signal) }
    const pending = await pendingOf(plan, control.host, disk, signal)
    for (const { cleaner, change } of pending) {
      signal.throwIfAborted()
      await cleaner.free(control, change, signal)
    }
  },

  async revert() {
    // What is gone is gone; what is left of a plan half done is left.
  },
})

/** All are looked at before the first of them goes. */
async function pendingOf(plan: Plan, host: Host, disk: FullDisk, signal: AbortSignal) {
  const pending: { readonly cleaner: Cleaner; readonly change: Change }[] = []
  for (const change of plan.changes) {
    const cleaner = CLEANERS.find(({ verb }) => change.what.startsWith(verb))
    if (cleaner === undefined) throw new Error(`${change.what} is nothing that may be removed`)
    if (await cleaner.isPending(host, disk, change, signal)) pending.push({ cleaner, change })
  }
  return pending
}
