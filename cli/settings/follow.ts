/** Waits until a version of the settings is everywhere, or goes no further, and shows meanwhile how far it is. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Snapshot } from '../../aggregator/model.ts'
import type { ApiClient } from '../client.ts'
import { progressOn } from '../sim/progress.ts'

const LOOK_EVERY_MS = 500

/** A version in force reaches nodes within seconds; those that have it not by then are told of. */
const TAKEN_WITHIN_MS = 30_000

export interface End {
  readonly isGood: boolean
  readonly says: string
}

export async function followRollout(client: ApiClient, version: number): Promise<End> {
  const progress = progressOn(process.stderr, `settings version ${version}`)
  let inForceSince: number | undefined
  try {
    for (;;) {
      const { settings, members } = await client.state()
      const live = members.filter(({ state }) => state === 'alive')
      const taken = live.filter(({ node }) => (settings.applied[node] ?? 0) >= version)
      progress.show(live.length === 0 ? 0 : taken.length / live.length)
      const end = endOf(settings, version)
      if (end !== undefined && !end.isGood) return end
      if (end !== undefined) {
        inForceSince ??= performance.now()
        const isOver = taken.length === live.length || performance.now() - inForceSince > TAKEN_WITHIN_MS
        if (isOver) return { isGood: true, says: `${end.says} on ${taken.length} of ${live.length} live nodes` }
      }
      await wait(LOOK_EVERY_MS)
    }
  } finally {
    progress.end()
  }
}

/** Undefined while it goes on. */
function endOf({ version: inForce, rollout, last }: Snapshot['settings'], version: number): End | undefined {
  if (inForce === version) return { isGood: true, says: `settings version ${version} is in force` }
  if (rollout?.version === version) {
    return rollout.halted === null ? undefined : { isGood: false, says: `halted: ${rollout.halted}` }
  }
  if (last?.version === version && last.outcome === 'halted') {
    return { isGood: false, says: `halted: ${last.why}; rolled back as version ${inForce}` }
  }
  const later = rollout?.version ?? inForce
  return later > version ? { isGood: false, says: `version ${later} has taken its place` } : undefined
}
