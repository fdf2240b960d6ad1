/** What is true of a simulated world at a moment, counted anew and by none of the rules that are under test. */
import type { Plan, Reach } from '../../remediators/contract.ts'
import { BEGIN_WITHIN_MS } from '../../remediators/permits.ts'
import type { SeenAgent } from './invariants.ts'

/** A node in the hands of a permitted fix, or of one that can still begin. */
export interface InHand {
  readonly node: string
  readonly planId: string
  readonly permitId: string
  readonly reach: Reach
}

const UNDER_WAY: readonly string[] = ['permitted', 'applying', 'verifying', 'reverting']

/** `sent`: permits by the nonce that they answer. */
export function inHands(agents: Iterable<SeenAgent>, sent: ReadonlyMap<string, string>): readonly InHand[] {
  const hands: InHand[] = []
  for (const agent of agents) {
    const { node, truth } = agent
    for (const { stage, remediation } of truth.fixes) {
      const { plan, permitId } = remediation
      const answer = stage.kind === 'asking' ? sent.get(stage.nonce) : undefined
      const mayUse =
        stage.kind === 'asking' && agent.isUp && agent.now().ms - stage.askedMs <= BEGIN_WITHIN_MS ? answer : undefined
      const inUse = UNDER_WAY.includes(stage.kind) ? permitId : undefined
      const permit = inUse ?? mayUse
      if (permit !== undefined) hands.push({ node, planId: plan.id, permitId: permit, reach: plan.reach })
    }
  }
  return hands
}

/** Nodes of a group that may be disrupted at once: the smaller of a share, rounded down, and a number; never none. */
export function mostOf({ percent, nodes }: { percent: number; nodes: number }, size: number): number {
  return Math.max(1, Math.min(nodes, Math.floor((size * percent) / 100)))
}

/** One planning of one fix: planned anew it has the same id and another beginning. */
export function keyOf({ node, id, createdAt }: Plan): string {
  return `${node} ${id} ${createdAt}`
}
