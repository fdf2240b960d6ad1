/** What a guard is: a pure question about the fleet as the leader sees it, and a sentence in answer. */
import type { GuardSettings } from './settings.ts'
import type { GuardView, NodeFacts } from './view.ts'

export interface Guard {
  /** kebab-case. */
  readonly name: string
  /** What it says no to, in words. */
  readonly refuses: string
  /** How it takes a fix that stops no process, in words. */
  readonly reachNone: string
  /** What it goes by, in words. */
  limits(settings: GuardSettings): string
  judge(view: GuardView, settings: GuardSettings): Judgement
}

export type Judgement =
  | { readonly allowed: true; readonly why: string }
  /** `restMs`: how long it is not worth asking again. */
  | { readonly allowed: false; readonly why: string; readonly restMs: number }

/** Of guards without a setting: what they keep is not for anyone to give up. */
export const HARD = 'hard: no setting'
/** Of guards for which it makes no difference whether a fix disturbs anything. */
export const ALIKE = 'the same'
/** Of guards that are about disruption only. */
export const PASSES = 'passes'

const UNKNOWN_MEMBER_REST_MS = 60_000

export function allow(why: string): Judgement {
  return { allowed: true, why }
}

export function refuse(why: string, restMs: number): Judgement {
  return { allowed: false, why, restMs }
}

/** How many there are that can have faults and ask for something. */
export function memberCount({ nodes }: GuardView): number {
  return [...nodes.values()].filter(({ isMember }) => isMember).length
}

/** For a guard that asks about the node itself: nobody knows anything of one that is no member. */
export function ofMember(
  judge: (facts: NodeFacts, view: GuardView, settings: GuardSettings) => Judgement,
): Guard['judge'] {
  return (view, settings) => {
    const { node } = view.request
    const facts = view.nodes.get(node)
    return !facts?.isMember
      ? refuse(`${node} is no member of the mesh`, UNKNOWN_MEMBER_REST_MS)
      : judge(facts, view, settings)
  }
}
