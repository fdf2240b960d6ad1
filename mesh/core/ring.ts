/**
 * Who watches whom. K pseudo-random orders ("rings", Rapid section 4.1) of the members give every subject K distinct
 * observers and every observer about K subjects, so load is even and a change of one member moves only about 2K edges.
 * Everyone computes the same ring from the same roster: nobody has to be told.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import type { Member, Roster } from './model.ts'
import { neededOf } from './quorum.ts'

/** Observers a subject: Rapid's K. The thresholds of quorum.ts are made for it. */
export const OBSERVERS_PER_SUBJECT = 10

export interface Ring {
  /** Names, in a fixed order; empty for a node that is not a member. */
  observersOf(subject: string): readonly string[]
  subjectsOf(observer: string): readonly string[]
  /** All members that share an edge with this one, in either direction. */
  neighboursOf(node: string): readonly string[]
}

const computed = new WeakMap<Roster, Ring>()

/** The ring of a roster. Computed once for each roster object, which is immutable. */
export function ringOf(roster: Roster): Ring {
  const known = computed.get(roster)
  if (known !== undefined) return known
  const ring = indexed(computeObservers(roster.members, roster.seed, OBSERVERS_PER_SUBJECT))
  computed.set(roster, ring)
  return ring
}

/** Observers of every member: `perSubject` of them, or everybody else in a smaller mesh. */
export function computeObservers(
  members: readonly Member[],
  seed: string,
  perSubject: number,
): ReadonlyMap<string, readonly Member[]> {
  const chosen = new Map<string, Member[]>(members.map((member) => [member.node, []]))
  const count = Math.min(perSubject, members.length - 1)
  // No zone may hold enough observers to convict by itself, where there are zones to spread over.
  const zoneLimit = neededOf(count, count) - 1
  const hasRoom = (observers: readonly Member[], { zone }: Member) =>
    observers.filter((observer) => observer.zone === zone).length < zoneLimit
  for (let turn = 0; turn < count; turn++) {
    const order = shuffled(members, `${seed}/${turn}`)
    for (const [position, subject] of order.entries()) {
      const observers = chosen.get(subject.node) ?? []
      const next = nextOn(order, position, observers, hasRoom) ?? nextOn(order, position, observers, () => true)
      if (next !== undefined) observers.push(next)
    }
  }
  return chosen
}

/** The first member after `position`, going round, that is not an observer yet and is accepted. */
function nextOn(
  order: readonly Member[],
  position: number,
  observers: readonly Member[],
  accepts: (observers: readonly Member[], candidate: Member) => boolean,
): Member | undefined {
  for (let step = 1; step < order.length; step++) {
    const candidate = order[(position + step) % order.length]
    if (candidate !== undefined && !observers.includes(candidate) && accepts(observers, candidate)) return candidate
  }
  return undefined
}

/** Placement hashes the node's name, never its key: whoever makes keys must not be able to choose whom to watch. */
function shuffled(members: readonly Member[], seed: string): readonly Member[] {
  const place = (member: Member) => bytesToHex(sha256(utf8ToBytes(`${seed}/${member.node}`)))
  return members
    .map((member) => ({ member, place: place(member) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ member }) => member)
}

function indexed(observers: ReadonlyMap<string, readonly Member[]>): Ring {
  const observersOf = new Map<string, string[]>()
  const subjectsOf = new Map<string, string[]>([...observers.keys()].map((node) => [node, []]))
  for (const [subject, watching] of observers) {
    observersOf.set(subject, watching.map((member) => member.node).toSorted())
    for (const observer of watching) subjectsOf.get(observer.node)?.push(subject)
  }
  const neighbours = new Map<string, readonly string[]>()
  const neighboursOf = (node: string) => {
    const known = neighbours.get(node)
    if (known !== undefined) return known
    const all = [...new Set([...(observersOf.get(node) ?? []), ...(subjectsOf.get(node) ?? [])])]
    neighbours.set(node, all)
    return all
  }
  return {
    neighboursOf,
    observersOf: (subject) => observersOf.get(subject) ?? [],
    subjectsOf: (observer) => subjectsOf.get(observer) ?? [],
  }
}

/** The members an aggregator keeps links to: those that it has, and others by chance. It hears of the rest through them. */
export function contactsOf(
  members: readonly Member[],
  kept: readonly string[],
  random: () => number,
): readonly string[] {
  const others = members
    .filter(({ node }) => !kept.includes(node))
    .map(({ node }) => ({ node, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ node }) => node)
  return [...kept, ...others].slice(0, OBSERVERS_PER_SUBJECT)
}
