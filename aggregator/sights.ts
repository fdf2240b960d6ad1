/**
 * What each observer sees of a subject, from all that the leader has of it: its accusations that stand, what it answered
 * in the last roll-call about the subject, and what it says it watches.
 */
import type { Leader } from '../mesh/core/leader.ts'
import type { ChannelResult, Opinion, Roster } from '../mesh/core/model.ts'
import { ringOf } from '../mesh/core/ring.ts'
import type { Fleet } from './fleet.ts'
import type { Sight, SightView } from './model.ts'

/** An answer older than this tells nothing of now. */
const ANSWER_FRESH_MS = 30_000
/**
 * Nor does one older than this that the observer misses the subject: whoever still does says so every 5 s. Under a verdict
 * observers say no more, so what convicted the subject holds on.
 */
const MISSED_FRESH_MS = 6_000

export interface SightsInit {
  readonly roster: Roster
  readonly leader: Leader
  readonly fleet: Fleet
  /** Zone of each member. */
  readonly zones: ReadonlyMap<string, string>
  /** Monotonic, on the mesh's clock. */
  readonly nowMs: number
}

interface Evidence {
  readonly observer: string
  readonly from: SightView['from']
  readonly opinion: Opinion | 'Abstain'
  readonly channel: ChannelResult
  readonly atMs: number
}

/** Of those who hear the subject and those who miss it the names, as `sightsOf` has them. */
export function hearing(
  subject: string,
  init: SightsInit,
): { readonly seenBy: readonly string[]; readonly missedBy: readonly string[] } {
  const { roster, leader, fleet } = init
  const observers = ringOf(roster).observersOf(subject)
  if (answers(subject, leader).length > 0 || statements(subject, leader).length > 0) {
    const sights = sightsOf(subject, init)
    const names = (sees: (sight: SightView) => boolean) => sights.filter(sees).map(({ observer }) => observer)
    return { seenBy: names(isHeard), missedBy: names(isMissed) }
  }
  // Of most members there is nothing but that their observers watch them.
  const watches = (observer: string) => watchesSince(observer, subject, leader, fleet) !== undefined
  return { seenBy: observers.every(watches) ? observers : observers.filter(watches), missedBy: NOBODY }
}

const NOBODY: readonly string[] = []

/** One for each observer of the subject, in the order of their names. */
export function sightsOf(subject: string, { roster, leader, fleet, zones, nowMs }: SightsInit): readonly SightView[] {
  const isConvicted = leader.conditions.standing.has(subject)
  const isFresh = ({ opinion, atMs }: Evidence) =>
    nowMs - atMs <= (opinion === 'Alive' || opinion === 'Abstain' ? ANSWER_FRESH_MS : MISSED_FRESH_MS)
  const evidence = [
    ...answers(subject, leader).filter((each) => isConvicted || isFresh(each)),
    ...statements(subject, leader),
  ]
  return ringOf(roster)
    .observersOf(subject)
    .map((observer): SightView => {
      const zone = zones.get(observer) ?? ''
      const [newest] = evidence.filter((each) => each.observer === observer).toSorted((a, b) => b.atMs - a.atMs)
      if (newest !== undefined) {
        const { opinion, channel, atMs, from } = newest
        return { observer, zone, sees: sightBy(opinion, channel), channel, ageMs: Math.round(nowMs - atMs), from }
      }
      const watchedSince = watchesSince(observer, subject, leader, fleet)
      if (watchedSince === undefined) {
        return { observer, zone, sees: 'unknown', channel: 'unknown', ageMs: null, from: 'none' }
      }
      const ageMs = Math.round(nowMs - watchedSince)
      return { observer, zone, sees: 'hears', channel: 'unknown', ageMs, from: 'watching' }
    })
}

/** Since when it knows the subject well enough to miss it, of one that does not say so; undefined: that tells nothing. */
function watchesSince(observer: string, subject: string, leader: Leader, fleet: Fleet): number | undefined {
  const isGone = (node: string) => leader.conditions.isExcused(node) || leader.hasLeft(node)
  // Of one that is silent itself, that it complains of nobody says nothing.
  if (leader.conditions.suspected.has(observer) || isGone(subject) || isGone(observer)) return undefined
  return fleet.couldConvictSince(observer, subject)
}

export function isHeard({ sees }: SightView): boolean {
  return sees === 'hears'
}

export function isMissed({ sees }: SightView): boolean {
  return sees === 'silent' || sees === 'host-answers' || sees === 'nothing'
}

export function saysAnything({ sees }: SightView): boolean {
  return sees !== 'unknown'
}

export function zonesOf({ members }: Roster): ReadonlyMap<string, string> {
  return new Map(members.map(({ node, zone }) => [node, zone]))
}

function answers(subject: string, { disputes }: Leader): readonly Evidence[] {
  return disputes.sightsOf(subject).map((sight) => ({ ...sight, from: 'roll-call' }))
}

function statements(subject: string, { ballots }: Leader): readonly Evidence[] {
  return ballots.about(subject).map(({ voter, accusation, heardAt }) => {
    const { opinion, channel } = accusation
    return { observer: voter, from: 'statement', opinion, channel, atMs: heardAt }
  })
}

function sightBy(opinion: Opinion | 'Abstain', channel: ChannelResult): Sight {
  if (opinion === 'Alive') return 'hears'
  if (opinion === 'Abstain') return 'abstains'
  if (channel === 'userland' || channel === 'refused') return 'host-answers'
  return channel === 'nothing' ? 'nothing' : 'silent'
}
