/** Random input for a check, and what failed in the check's own words instead of the runner's. */
import fc from 'fast-check'
import { messageOf } from '../../common/errors.ts'

/** Rejects with what was wrong, first, and then the smallest input that was found to show it, and how to get it again. */
export async function holds<T>(property: fc.IAsyncProperty<T>, parameters: fc.Parameters<T>): Promise<void> {
  await fc.assert(property, {
    ...parameters,
    reporter: ({ failed, errorInstance, counterexample, counterexamplePath, seed }) => {
      if (!failed) return
      const again = `seed ${seed}, path ${counterexamplePath}`
      throw new Error(`${messageOf(errorInstance)}\nwith ${fc.stringify(counterexample)} (${again})`)
    },
  })
}
