/**
 * Which way a statement goes. What an aggregator says goes to all: over every edge, once a node. What a member says goes
 * up, to the leader, by the way on which its last roll-call came; telling everybody would cost each node in proportion to
 * the size of the mesh (docs/adr/0006-statements-go-up.md). A note for neighbours goes to them, and no further.
 */
import type { Digest, Gossip, Heard } from './gossip.ts'
import type { Links } from './links.ts'
import type { Membership } from './membership.ts'
import type { Effect, Message } from './message.ts'
import type { Millis, SignedStatement, StatementBody } from './model.ts'
import { isNear } from './near.ts'

/** What was passed up so lately may have been lost with the edge that it took: it is passed up again by another. */
const RECENT_MS = 15_000

/** Neighbours that are asked by a node that knows no way up. */
const ANY_WAYS = 2

export class Dissemination {
  readonly #gossip: Gossip
  readonly #membership: Membership
  readonly #links: Links
  readonly #uplinks: () => readonly string[]

  /** `uplinks`: the peers that brought the latest roll-call, the first of them first. */
  constructor(gossip: Gossip, membership: Membership, links: Links, uplinks: () => readonly string[]) {
    this.#gossip = gossip
    this.#membership = membership
    this.#links = links
    this.#uplinks = uplinks
  }

  say(now: Millis, body: StatementBody, ttlMs: Millis): readonly Effect[] {
    const item: Heard = { signed: this.#gossip.publish(now, body, ttlMs), ageMs: 0 }
    return isNear(body) ? this.#tellNear(this.#links.peers, [item]) : this.pass(item)
  }

  /** To everybody with an edge to this node, who pass it up. */
  sayAround(now: Millis, body: StatementBody, ttlMs: Millis): readonly Effect[] {
    const signed = this.#gossip.publish(now, body, ttlMs)
    return sendTo(this.#links.peers, { kind: 'gossip', items: [{ signed, ageMs: 0 }] })
  }

  expire(now: Millis): void {
    this.#gossip.expire(now)
  }

  /** Tells a peer all that this node knows of what aggregators say, so that it sends what is missing. */
  digestTo(peer: string): readonly Effect[] {
    return this.#gossip.digest().flatMap((part) => sendTo([peer], { kind: 'digest', ...part }))
  }

  /**
   * An edge to a peer has opened: digests are compared. The first ones of a node that has just started also bring what it has
   * to say, and that it lives; the next roll-call, which would tell it the way up, may be seconds off.
   */
  opened(now: Millis, peer: string): readonly Effect[] {
    const isNew = this.#wayUp.length === 0 && this.#links.peers.length <= ANY_WAYS
    const near = this.#tellNear([peer], this.#gossip.near(now))
    return [...this.digestTo(peer), ...near, ...(isNew ? this.sayAgain(now) : [])]
  }

  /** Aggregators are no node's neighbours. */
  #tellNear(peers: readonly string[], items: readonly Heard[]): readonly Effect[] {
    const members = items.length === 0 ? [] : peers.filter((peer) => !this.#membership.isAggregator(peer))
    return sendTo(members, { kind: 'gossip', items })
  }

  answer(now: Millis, from: string, digest: Digest): readonly Effect[] {
    const items = this.#gossip.missingIn(now, digest)
    return items.length === 0 ? [] : sendTo([from], { kind: 'gossip', items })
  }

  /** Passes a statement that was new here on its way; `from`: who brought it. */
  pass(item: Heard, from?: string): readonly Effect[] {
    if (isNear(item.signed.statement.body)) return []
    return sendTo(this.#nextHops(item.signed, from), { kind: 'gossip', items: [item] })
  }

  /** Everything this node says itself, and who has left: to a new leader, which has not heard it. */
  sayAgain(now: Millis): readonly Effect[] {
    const own = this.#gossip.renew(now).map((signed) => ({ signed, ageMs: 0 }))
    return [...own, ...this.#gossip.leaves(now)].flatMap((item) => this.pass(item))
  }

  /** An edge is gone; what went over it lately may be, too. */
  lost(now: Millis): readonly Effect[] {
    return this.#gossip.ofMembers(now, now - RECENT_MS).flatMap((item) => this.pass(item))
  }

  #nextHops({ statement: { signer, body } }: SignedStatement, from: string | undefined): readonly string[] {
    if (this.#membership.isAggregator(signer)) return this.#links.peers.filter((peer) => peer !== from)
    // Two nodes with ways up of different roll-calls can each be the other's: it goes on, neither back nor to who said it.
    const isOther = (peer: string) => peer !== from && peer !== signer
    const known = this.#wayUp.filter(isOther)
    // Before its first roll-call a node asks its neighbours, who know the way.
    const open = known.length > 0 ? known : this.#links.peers.filter(isOther).slice(0, ANY_WAYS)
    // A vote must not be late because one node on its way dies with the subject.
    return body.kind === 'accusation' ? open : open.slice(0, 1)
  }

  get #wayUp(): readonly string[] {
    return this.#uplinks().filter((peer) => this.#links.has(peer))
  }
}

/** One message for all of them, which is encoded once. */
function sendTo(peers: readonly string[], message: Message): readonly Effect[] {
  return peers.map((to) => ({ kind: 'send', to, via: 'any', message }))
}
