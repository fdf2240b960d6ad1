/**
 * Which nodes a version is for while it is rolled out. The leader names, of each pool, the last node that a stage reaches,
 * in an order that a seed gives; so a short statement is enough for every agent to tell by itself whether it is in.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { type Duration, durationMs, isDuration } from '../common/duration.ts'

/** A few nodes, a part that is large enough to tell chance from fault, and the rest. */
export const DEFAULT_STAGES: readonly string[] = ['5%', '25%', '100%']

/** Longer than most detectors wait between two looks, and than most faults must last before they are reported. */
const DEFAULT_SOAK: Duration = '2m'
const SOAK_MAX: Duration = '1d'
const STAGES_MAX = 10

/** Beyond this many members shares mean something; below, nodes go one after the other. */
const ONE_BY_ONE_MAX = 3

const isShare = (text: string) => /^\d{1,3}%$/.test(text) && shareOf(text) > 0 && shareOf(text) <= 1
const shareOf = (text: string) => Number.parseInt(text, 10) / 100

const stages = z
  .array(z.string().refine(isShare, 'stages are shares from 1% to 100%, as 5%'))
  .min(1)
  .max(STAGES_MAX)
  .refine((list) => list.every((text, index) => index === 0 || shareOf(text) > shareOf(list[index - 1] ?? '')), {
    message: 'each stage must be larger than the one before it',
  })
  .refine((list) => list.at(-1) === '100%', 'the last stage must be 100%')

/** Without defaults, as the document that it is part of. */
export const rolloutPart = z.strictObject({
  /** Shares of each pool, growing, the last of them 100%. */
  stages: stages.exactOptional(),
  /** How long each stage is watched before the next; `0s` waits only until its nodes run the version. */
  soak: z
    .string()
    .refine(isDuration, 'must be a duration, as in 2m')
    .refine((text) => !isDuration(text) || durationMs(text) <= durationMs(SOAK_MAX), `must be at most ${SOAK_MAX}`)
    .exactOptional(),
  /** What becomes of the nodes that have the version when it is halted: `hold` leaves it there for people to look at. */
  onHalt: z.enum(['hold', 'rollback']).exactOptional(),
})

export type RolloutSettings = z.infer<typeof rolloutPart>

export interface RolloutPlan {
  /** Shares from above 0 to 1. */
  readonly shares: number[]
  readonly soakMs: number
  readonly onHalt: 'hold' | 'rollback'
}

export function readRollout({ stages: shares, soak, onHalt }: RolloutSettings = {}): RolloutPlan {
  return {
    shares: (shares ?? DEFAULT_STAGES).map(shareOf),
    soakMs: durationMs(soak ?? DEFAULT_SOAK),
    onHalt: onHalt ?? 'rollback',
  }
}

/** By pool, the place of the last node that is in; the empty pool is that of nodes that belong to none. */
export type Reach = Readonly<Record<string, string>>

/** A node and its pool, as the roster has them. */
export interface Placed {
  readonly node: string
  readonly pool?: string | undefined
}

/** Where a node stands in the order of a roll-out: 8 bytes, hex. */
export function placeOf(seed: string, node: string): string {
  return bytesToHex(sha256(utf8ToBytes(`${seed}\n${node}`)).subarray(0, 8))
}

/** `reach`: null for everybody. */
export function isReached(reach: Reach | null, seed: string, { node, pool = '' }: Placed): boolean {
  if (reach === null) return true
  const last = Object.hasOwn(reach, pool) ? reach[pool] : undefined
  return last !== undefined && placeOf(seed, node) <= last
}

/**
 * How far each stage reaches among these members; the last is null: everybody, also nodes that come meanwhile. Of each
 * pool at least one node is in the first; three members or fewer go one by one. A stage that would add nobody is left out.
 */
export function stagesOf(
  members: readonly Placed[],
  shares: readonly number[],
  seed: string,
): readonly (Reach | null)[] {
  const inOrder = members
    .map((member) => ({ ...member, place: placeOf(seed, member.node) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
  const isTiny = members.length <= ONE_BY_ONE_MAX && shares.length > 1
  const sets = isTiny
    ? inOrder.map((_, index) => inOrder.slice(0, index + 1))
    : shares.map((share) => [...byPool(inOrder).values()].flatMap((of) => of.slice(0, countOf(share, of.length))))
  const isMore = (set: readonly unknown[], index: number) => index === 0 || set.length > (sets[index - 1]?.length ?? 0)
  return [...sets.filter((set, index) => set.length < members.length && isMore(set, index)).map(reachOf), null]
}

/** How far the next stage reaches: the first that has members in it which `reach` does not have. */
export function nextReach(
  members: readonly Placed[],
  shares: readonly number[],
  seed: string,
  reach: Reach,
): Reach | null {
  const isNew = (member: Placed) => !isReached(reach, seed, member)
  const isMore = (stage: Reach | null) =>
    stage === null || members.some((member) => isNew(member) && isReached(stage, seed, member))
  return stagesOf(members, shares, seed).find(isMore) ?? null
}

function countOf(share: number, size: number): number {
  // Shares are written in per cent: a hair over a whole number is an error of the arithmetic.
  return Math.max(1, Math.ceil(share * size - 1e-9))
}

function byPool<T extends Placed>(members: readonly T[]): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(members, ({ pool = '' }) => pool)
}

function reachOf(members: readonly (Placed & { readonly place: string })[]): Reach {
  return Object.fromEntries([...byPool(members)].map(([pool, of]) => [pool, of.at(-1)?.place ?? '']))
}
