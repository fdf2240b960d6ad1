/** What a subject's host has shown since its agent fell silent: the second channel's answers, as far as they count now. */
import type { SecondChannel } from './channel.ts'
import type { Edge } from './edge.ts'
import type { ChannelResult, Millis } from './model.ts'

export class HostInDoubt {
  readonly #edge: Edge
  readonly #channel: SecondChannel
  #acceptedAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(edge: Edge, channel: SecondChannel) {
    this.#edge = edge
    this.#channel = channel
  }

  /** A port of the host took a connect. */
  accepted(now: Millis): void {
    this.#acceptedAt = now
  }

  /** Somebody asks about it now. */
  lookedAt(now: Millis): void {
    this.#lookedAt = now
  }

  /** The latest answer in this doubt; undefined before the first, and while there is no doubt. */
  get result(): ChannelResult | undefined {
    const { doubtSince } = this.#edge
    if (doubtSince === undefined) return undefined
    const result = this.#channel.resultSince(doubtSince)
    return result === 'nothing' && this.#mayBeShutOut(doubtSince) ? 'unknown' : result
  }

  /** It answered at once. A hung host takes two seconds to show that it is: that is not asked again. */
  get hasAnswered(): boolean {
    return this.result === 'userland' || this.result === 'refused'
  }

  /** Its last answer is from before somebody asked; it may have died since. */
  get isOldNews(): boolean {
    return this.hasAnswered && this.#channel.heardAt < this.#lookedAt
  }

  /** The ask that is under way since `askedAt` has been accepted, and in this doubt none has been before. */
  isJustAccepted(askedAt: Millis | undefined): boolean {
    if (askedAt === undefined || askedAt < (this.#edge.doubtSince ?? Number.POSITIVE_INFINITY)) return false
    return this.#acceptedAt >= askedAt && (this.result === undefined || this.result === 'nothing')
  }

  /** Nothing came from it for so long. */
  isSilentFor(ms: Millis, now: Millis): boolean {
    const { nothingSince } = this.#channel
    return nothingSince !== undefined && now - nothingSince >= ms && !this.#mayBeShutOut(this.#edge.doubtSince ?? now)
  }

  /**
   * The subject's kernel ended the stream, so it lived; and no connect has got through since, so that it may as well take
   * none any more: its connection table is full, or a firewall drops what nobody listens to.
   */
  #mayBeShutOut(doubtSince: Millis): boolean {
    return this.#edge.wasHungUpOn && this.#channel.gotThroughAt < doubtSince
  }
}
