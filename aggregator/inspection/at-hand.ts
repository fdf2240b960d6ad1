/** The last inspections while there is no history to keep them: they are gone with the process. */
import type { InspectionRun } from '../../inspection/model.ts'
import type { InspectionStore } from './inspections.ts'

const KEPT = 20

export function inspectionsAtHand(): InspectionStore {
  const runs: InspectionRun[] = []
  return {
    async keepInspection(run) {
      if (runs.some(({ id }) => id === run.id)) return
      runs.unshift(run)
      runs.splice(KEPT)
    },
    async inspections(limit, profile) {
      const wanted = runs.filter((run) => profile === undefined || run.profile === profile)
      return wanted.slice(0, limit).map(({ troubles: _, silent: __, ...head }) => head)
    },
    async inspection(id) {
      return runs.find((run) => run.id === id) ?? null
    },
  }
}
