/**
 * Two people behind one dangerous plan. Who said what is known by the API alone: an object of Kubernetes does not carry its
 * writer's name, and a token that several share is nobody's. Pure.
 */
import type { Approval } from '../remediators/guards/view.ts'
import type { Decision } from '../remediators/permits.ts'
import { mayDo, type Person } from './people.ts'

/**
 * The second must approve within this time of the first: long enough to call somebody out of bed, short enough that both
 * looked at the same trouble.
 */
export const TOGETHER_WITHIN_MS = 3_600_000

/** Ways to decide on which the API itself has checked who somebody is. */
const NAMED_WAYS: ReadonlySet<string> = new Set<Decision['via']>(['page', 'cli', 'api'])

/** The first of two approvals, until the second. */
export interface Standing {
  readonly person: string
  readonly atMs: number
  readonly untilMs: number
}

/**
 * Who has decided, if that is one of `people` now: a token is taken from somebody since it was lost or they are gone, and
 * then nobody knows whose word it was. Undefined for anybody else.
 */
export function personBehind(people: readonly Person[], { by, via, at }: Decision): string | undefined {
  if (!NAMED_WAYS.has(via)) return undefined
  const person = people.find(({ name }) => name === by)
  if (person === undefined || !mayDo(person, 'approve')) return undefined
  return Date.parse(at) >= Date.parse(person.since) ? by : undefined
}

/** Of the approvals of one plan, those that count beside the one that its node goes by. */
export function countedWith(
  id: string | undefined,
  approvals: readonly Decision[],
  people: readonly Person[],
): readonly Approval[] {
  const relied = approvals.find((one) => one.id === id)
  if (relied === undefined) return []
  // Two aggregators took them, perhaps, and clocks differ: which came first says nothing.
  const isTogether = ({ at }: Decision) => Math.abs(Date.parse(at) - Date.parse(relied.at)) <= TOGETHER_WITHIN_MS
  return approvals.filter(isTogether).map((decision) => ({ decision, person: personBehind(people, decision) }))
}

/** Each person once, with the last that they said; the first to approve stands first. */
export function standingNow(
  approvals: readonly Decision[],
  people: readonly Person[],
  nowMs: number,
): readonly Standing[] {
  const byPerson = new Map<string, Standing>()
  for (const decision of approvals) {
    const person = personBehind(people, decision)
    const atMs = Date.parse(decision.at)
    const standing = { person: person ?? '', atMs, untilMs: atMs + TOGETHER_WITHIN_MS }
    if (person !== undefined && nowMs <= standing.untilMs) byPerson.set(person, standing)
  }
  return [...byPerson.values()].toSorted((a, b) => a.atMs - b.atMs)
}
