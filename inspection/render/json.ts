/** An inspection for programs: as it is kept, with what changed. Its keys stay as they are within one apiVersion. */
import type { Deltas } from '../deltas.ts'
import type { InspectionRun } from '../model.ts'

export const INSPECTION_API_VERSION = 'starling.mesh/v1alpha1'

export function renderJson(run: InspectionRun, { deltas }: { readonly deltas?: Deltas } = {}): string {
  const document = { apiVersion: INSPECTION_API_VERSION, kind: 'InspectionRun', ...run, deltas: deltas ?? null }
  return `${JSON.stringify(document, null, 2)}\n`
}
