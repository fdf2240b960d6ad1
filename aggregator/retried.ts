/**
 * What a timer sets off. A journal that takes nothing now, as on a full disk, ends no process then: it is said once, and done
 * again at the next turn.
 */
import { messageOf } from '../common/errors.ts'
import type { Log } from '../common/log.ts'

/** `failed`: what the log says when it begins to fail. */
export function retried(act: () => void, failed: string, log: Log): () => void {
  let isFailing = false
  return () => {
    try {
      act()
      isFailing = false
    } catch (error) {
      if (!isFailing) log.error({ err: messageOf(error) }, `${failed}: tried again`)
      isFailing = true
    }
  }
}

/** Each is done so often, in ms, until what this returns is called. */
export function everySo(turns: readonly (readonly [number, () => void])[], failed: string, log: Log): () => void {
  const timers = turns.map(([ms, act]) => setInterval(retried(act, failed, log), ms).unref())
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}
