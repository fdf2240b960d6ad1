/** What becomes of a no from the rest of the aggregator: 409 as things stand, 404 for what is not there, 504 without an answer. */
import { StarlingError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { asConflict, notFound, ProblemError } from './problem.ts'

/** What the aggregator refuses as things stand is a 409. */
export function orConflict<T>(title: string, act: () => T): T {
  try {
    return act()
  } catch (error) {
    throw asConflict(title, error)
  }
}

/** What a node did not answer in time is a 504. */
export async function orGone<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    const remedy = error.remedy === undefined ? {} : { remedy: error.remedy }
    throw new ProblemError({ status: 504, title: 'No answer', detail: error.message, ...remedy })
  }
}

export function noSuchNode(node: string, known: readonly string[]): ProblemError {
  const meant = nearest(node, known)
  const message = `no node "${node}" in this mesh${meant === undefined ? '' : `; did you mean ${meant}?`}`
  return notFound(message, { remedy: '`starling members` lists them', errors: [{ field: 'node', message }] })
}
