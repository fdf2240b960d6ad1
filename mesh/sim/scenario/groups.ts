/** Which members a scenario's groups are: drawn once, by the seed of the run alone, so that all arms get the same. */
import { EVERYBODY, type Group, type Scenario } from './schema.ts'

export interface Drawn {
  readonly members: readonly string[]
  readonly withLeader: boolean
}

export type Groups = ReadonlyMap<string, Drawn>

export interface Roll {
  readonly node: string
  readonly zone: string
}

/** Throws RangeError for a group that turns out empty. */
export function drawGroups(
  groups: Scenario['groups'],
  roll: readonly Roll[],
  observersOf: (subject: string) => readonly string[],
  random: () => number,
): Groups {
  const drawn = new Map<string, Drawn>([[EVERYBODY, { members: roll.map(({ node }) => node), withLeader: false }]])
  const membersOf = (name: string) => drawn.get(name)?.members ?? []
  for (const [name, group] of Object.entries(groups)) {
    const fit = roll.filter(({ node, zone }) => {
      if (group.zone !== undefined && group.zone !== zone) return false
      if (group.nodes !== undefined && !group.nodes.includes(node)) return false
      if (group.among !== undefined && !membersOf(group.among).includes(node)) return false
      const [subject = ''] = group.observersOf === undefined ? [] : membersOf(group.observersOf)
      if (group.observersOf !== undefined && !observersOf(subject).includes(node)) return false
      return !(group.except ?? []).some((other) => membersOf(other).includes(node))
    })
    const members = pickSome(
      fit.map(({ node }) => node),
      howMany(group, fit.length, roll.length),
      random,
    )
    if (members.length === 0) throw new RangeError(`group "${name}" has no member in a mesh of ${roll.length}`)
    drawn.set(name, { members, withLeader: group.withLeader })
  }
  return drawn
}

/** So many of them, by chance; all when there are no more. */
export function pickSome(names: readonly string[], count: number, random: () => number): readonly string[] {
  if (count >= names.length) return names
  return names
    .map((name) => ({ name, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .slice(0, count)
    .map(({ name }) => name)
}

/** A share is one of what the group is taken from: of all members, or of those that its other words fit. */
function howMany({ count, share, zone, nodes, observersOf, among }: Group, fit: number, all: number): number {
  if (count !== undefined) return count
  if (share === undefined) return fit
  const isNarrowed = [zone, nodes, observersOf, among].some((word) => word !== undefined)
  return Math.max(1, Math.round((isNarrowed ? fit : all) * share))
}
