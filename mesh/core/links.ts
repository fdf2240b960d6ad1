/** The open edges of this node: to each peer the stream it opened itself, the one the peer opened, or both. */
import type { Millis } from './model.ts'

export class Links {
  readonly #open = new Map<string, Set<'me' | 'them'>>()
  readonly #heardAt = new Map<string, Millis>()

  opened(peer: string, by: 'me' | 'them'): void {
    this.#open.set(peer, (this.#open.get(peer) ?? new Set()).add(by))
  }

  closed(peer: string, by: 'me' | 'them'): void {
    const streams = this.#open.get(peer)
    streams?.delete(by)
    if (streams?.size === 0) this.cut(peer)
  }

  /** All streams with this peer are gone. */
  cut(peer: string): void {
    this.#open.delete(peer)
    this.#heardAt.delete(peer)
  }

  /** Something came from a peer. */
  heard(peer: string, now: Millis): void {
    if (this.#open.has(peer)) this.#heardAt.set(peer, now)
  }

  heardSince(since: Millis): readonly string[] {
    return [...this.#heardAt].flatMap(([peer, at]) => (at >= since ? [peer] : []))
  }

  has(peer: string): boolean {
    return this.#open.has(peer)
  }

  /** Peers to which this node has an open stream of its own. */
  get openedByMe(): readonly string[] {
    return [...this.#open].flatMap(([peer, streams]) => (streams.has('me') ? [peer] : []))
  }

  get peers(): readonly string[] {
    return [...this.#open.keys()]
  }

  /** One of the peers, by chance; undefined when there is none. `random`: uniform in [0, 1). */
  any(random: () => number): string | undefined {
    const { peers } = this
    return peers[Math.floor(random() * peers.length)]
  }
}
