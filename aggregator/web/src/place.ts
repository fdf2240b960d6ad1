/** Which view of the page its address names: an inspection, or else the mesh. */
import { useEffect, useState } from 'preact/hooks'
import { type InspectionPlace, readInspectionHash } from '../../../inspection/links.ts'

/** Without an id the newest one. */
export type InspectionView = Partial<InspectionPlace>

/** Of the newest inspection. */
export const INSPECTIONS_HASH = '#/inspections'

/** Undefined for the mesh. */
export function useInspectionView(): InspectionView | undefined {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const read = () => setHash(location.hash)
    addEventListener('hashchange', read)
    return () => removeEventListener('hashchange', read)
  }, [])
  return hash === INSPECTIONS_HASH ? {} : readInspectionHash(hash)
}
