/**
 * For how long the nodes of a stage have been watched, on a clock that nobody sets. What another life or another aggregator
 * watched does not count: a stage is watched for too long rather than too short. Pure: time is passed in.
 */

/** Who begins to lead hears within this what members have to say; before that nothing is judged or begun from the file. */
const SETTLE_MS = 15_000

export class StageWatch {
  #ledSinceMs = Number.POSITIVE_INFINITY
  /** Undefined while it waits for what the nodes have to say. */
  #sinceMs: number | undefined

  /** This aggregator leads from now on; what is on its way began before. */
  leads(nowMs: number): void {
    this.#ledSinceMs = nowMs
    this.#sinceMs = undefined
  }

  /** A stage begins, and all that is to be known of its nodes is. */
  begins(nowMs: number): void {
    this.#sinceMs = nowMs
  }

  /** To be asked again and again: a stage of before is watched from the first time on that the nodes can be judged. */
  forMs(nowMs: number): number | undefined {
    if (this.isSettled(nowMs)) this.#sinceMs ??= nowMs
    return this.#sinceMs === undefined ? undefined : nowMs - this.#sinceMs
  }

  isSettled(nowMs: number): boolean {
    return nowMs - this.#ledSinceMs >= SETTLE_MS
  }
}
