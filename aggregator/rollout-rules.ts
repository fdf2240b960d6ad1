/** What becomes of a version that is on its way: it waits, goes on, or is halted by what the nodes show that have it. Pure. */
import type { Named, Upcoming } from '../settings/notes.ts'
import { isReached, nextReach, type Placed, type Reach, type RolloutPlan, stagesOf } from '../settings/stages.ts'
import { isJump } from './jump.ts'

/** A node that lives takes up a version within seconds of hearing of it; one that has not by then will hardly. */
const LATE_MS = 60_000

/** What is listed by name; the rest is counted. */
const NAMED_MAX = 5

const UNKNOWN_BEFORE = ': only the aggregator that began it knew how they were before'

/** What the leader sees of a member. */
export interface NodeSeen extends Placed {
  /** No verdict, no AgentDown, and it has not left. */
  readonly isLive: boolean
  /** The version that it says it runs; 0 before it has said so. */
  readonly runs: number
  /** The version that it does not take over, and why. */
  readonly refused?: { readonly version: number; readonly why: string } | undefined
  /** What is wrong with it by its own word, `unknown` included. */
  readonly findings: readonly NodeFinding[]
}

export interface NodeFinding {
  /** Detector and reason, for people. */
  readonly what: string
  /** The same with its cause: what is there before the roll-out is no news in it. */
  readonly key: string
  /** The detector saw nothing, and has said so once: its next look may see again. */
  readonly isOnce?: boolean
}

/** How the nodes were when the roll-out began. */
export interface Before {
  readonly down: readonly string[]
  /** Keys of findings, by node; none for a node that was well. */
  readonly findings: Readonly<Record<string, readonly string[]>>
}

export interface Evidence {
  readonly what: string
  readonly newer: { readonly count: number; readonly of: number; readonly nodes: readonly string[] }
  readonly older: { readonly count: number; readonly of: number }
}

export type Outcome =
  | { readonly kind: 'wait' }
  | { readonly kind: 'advance'; readonly reach: Reach | null }
  | { readonly kind: 'done' }
  | { readonly kind: 'halt'; readonly why: string; readonly evidence: readonly Evidence[] }

export function before(nodes: readonly NodeSeen[]): Before {
  const ill = nodes.filter(({ findings }) => findings.length > 0)
  return {
    down: nodes.filter(({ isLive }) => !isLive).map(({ node }) => node),
    findings: Object.fromEntries(ill.map(({ node, findings }) => [node, findings.map(({ key }) => key)])),
  }
}

/** A version as it is said at first. `seed`: orders the nodes. */
export function firstStage(named: Named, plan: RolloutPlan, nodes: readonly NodeSeen[], seed: string): Upcoming {
  // A node that is down tells nothing of the version.
  const live = nodes.filter(({ isLive }) => isLive)
  const [reach = null] = stagesOf(live, plan.shares, seed)
  return { ...named, seed, reach, step: 0, ...plan, halted: null }
}

/**
 * `was`: null where another leader saw it begin; then whatever is wrong with a node counts as new, on all alike. Where there
 * are no others to hold them against either, that halts what may be well rather than letting through what is not. `forMs`: how
 * long this stage has been watched.
 */
export function judgeStage(next: Upcoming, nodes: readonly NodeSeen[], was: Before | null, forMs: number): Outcome {
  const counted = nodes.filter(({ node }) => was?.down.includes(node) !== true)
  const newer = counted.filter((node) => isReached(next.reach, next.seed, node))
  const older = counted.filter((node) => !isReached(next.reach, next.seed, node))
  const stage = { next, was, forMs }
  const evidence = compare(
    newer.map((node) => ({ node: node.node, troubles: troublesOf(node, true, stage) })),
    older.map((node) => ({ node: node.node, troubles: troublesOf(node, false, stage) })),
  )
  const [worst] = evidence
  if (worst !== undefined) {
    // Neither the same nodes before nor others now.
    const isBlind = was === null && older.length === 0
    return { kind: 'halt', why: `${inWords(worst, next.version)}${isBlind ? UNKNOWN_BEFORE : ''}`, evidence }
  }
  if (newer.some((node) => passing(node, stage).length > 0)) return { kind: 'wait' }
  const isTaken = newer.every(({ isLive, runs }) => !isLive || runs >= next.version)
  if (forMs < next.soakMs || !(isTaken || forMs >= LATE_MS)) return { kind: 'wait' }
  if (next.reach === null) return { kind: 'done' }
  const live = nodes.filter(({ isLive }) => isLive)
  return { kind: 'advance', reach: nextReach(live, next.shares, next.seed, next.reach) }
}

/**
 * What more than half of the nodes run, or something later; 0 when none says. A single node could say a number that leaves
 * none to go on with; one that does run something later than most refuses what comes, which is seen.
 */
export function runByMost(versions: readonly number[]): number {
  return versions.toSorted((a, b) => b - a)[Math.floor(versions.length / 2)] ?? 0
}

interface Stage {
  readonly next: Upcoming
  readonly was: Before | null
  readonly forMs: number
}

/** What is new, and may pass by itself: the stage is not halted for it, nor over before it passed or stayed. */
function passing({ node, findings }: NodeSeen, { next, was, forMs }: Stage): readonly NodeFinding[] {
  const had = was?.findings[node] ?? []
  return forMs < next.soakMs + LATE_MS
    ? findings.filter(({ key, isOnce }) => isOnce === true && !had.includes(key))
    : []
}

/** What is worse with a node than before, each in words that are the same for all nodes. */
function troublesOf(seen: NodeSeen, isNewer: boolean, stage: Stage): ReadonlySet<string> {
  const { node, isLive, runs, refused, findings } = seen
  const { next, was, forMs } = stage
  const known = [...(was?.findings[node] ?? []), ...passing(seen, stage).map(({ key }) => key)]
  const found = findings.filter(({ key }) => !known.includes(key)).map(({ what }) => what)
  const hasRefused = refused?.version === next.version
  const isLate = isNewer && isLive && !hasRefused && runs < next.version && forMs >= LATE_MS
  return new Set([
    ...(isLive ? found : ['gone or down']),
    ...(hasRefused ? [`refused: ${refused.why}`] : []),
    ...(isLate ? ['not taken up'] : []),
  ])
}

interface Troubled {
  readonly node: string
  readonly troubles: ReadonlySet<string>
}

const ANYTHING = 'something new wrong'

/** Each trouble for itself, and all of them together: many may be ill in a way of their own. The clearest first. */
function compare(newer: readonly Troubled[], older: readonly Troubled[]): readonly Evidence[] {
  const kinds = new Set(newer.flatMap(({ troubles }) => [...troubles]))
  const evidenceOf = (what: string, has: (one: Troubled) => boolean): Evidence => {
    const nodes = newer.filter(has).map(({ node }) => node)
    return {
      what,
      newer: { count: nodes.length, of: newer.length, nodes: nodes.slice(0, NAMED_MAX) },
      older: { count: older.filter(has).length, of: older.length },
    }
  }
  const each = [...kinds].map((what) => evidenceOf(what, ({ troubles }) => troubles.has(what)))
  const all = kinds.size > 1 ? [evidenceOf(ANYTHING, ({ troubles }) => troubles.size > 0)] : []
  const jumps = [...each.toSorted((a, b) => b.newer.count - a.newer.count), ...all]
  return jumps.filter((evidence) => isJump(evidence.newer, evidence.older))
}

function inWords({ what, newer, older }: Evidence, version: number): string {
  const more = newer.count > newer.nodes.length ? ` and ${newer.count - newer.nodes.length} more` : ''
  const others = older.of === 0 ? '' : `, on ${older.count} of ${older.of} others`
  return `${what} on ${newer.count} of ${newer.of} with version ${version} (${newer.nodes.join(', ')}${more})${others}`
}
