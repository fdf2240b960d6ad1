/** What must hold in a simulated world, and what is seen of it to tell. */
import type { Moment } from '../../common/moment.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Pause } from '../../remediators/guards/view.ts'
import type { PermitRequest } from '../../remediators/permits.ts'
import type { Policy } from '../../remediators/policy/model.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import type { FixState } from '../../remediators/state.ts'
import type { Fleet, Place } from './fleet.ts'

export interface Violation {
  readonly invariant: Invariant
  readonly at: string
  readonly node: string
  readonly what: string
  /** The last that happened to the node before, oldest first. */
  readonly story: readonly string[]
}

/** What must hold, in the words of the contract; the first word is the name. */
export const INVARIANTS = {
  budget: 'no grant exceeds a budget, counted from the truth at that moment',
  restrained: 'nothing is granted by a leader that is frozen, cut off, blind, new, or does not lead',
  owner: 'a node is in one pair of hands',
  plane: 'of the control plane one node at a time is disturbed, and etcd keeps its majority',
  paused: 'nothing is granted in the scope of a pause',
  actor: 'one actor on a plan, one plan at a time on a node',
  permit: 'nothing is done without a permit of just this plan, used once and in time, or by the rule of a node cut off',
  ambiguous: 'what may have been done is not done again',
  unknown: 'nothing is planned or granted for what is unknown, held or gone',
  recorded: 'each request is answered, each decision has all its reasons, each phase its cause',
  outcome: 'what was begun ends: verified by a look, or put back, or with a person',
  reported: 'the outcome of what was done under a permit comes to the record',
  window: 'nothing is begun outside its windows',
  contested: 'what somebody sets back again and again is not mended a third time within the hour',
  outstanding: 'no permit stays outstanding once its node was heard again',
  bounded: 'what is kept is bounded, and survives the disk',
} as const
export type Invariant = keyof typeof INVARIANTS

/** Of one fix: it was begun for real. */
export interface Begun {
  readonly node: string
  readonly plan: Plan
  readonly permitId: string | null
  /** The host was changed, or may have been. */
  touched: boolean
  end: string | null
  endedAt: number
}

/** An agent, as it is seen from outside. */
export interface SeenAgent {
  readonly node: string
  readonly rules: Rules
  readonly isUp: boolean
  readonly state: FixState
  /** What may survive: memory while it runs, else the disk. */
  readonly truth: FixState
  /** By detector, what it was told last. */
  readonly heard: ReadonlyMap<string, readonly Finding[]>
  now(): Moment
}

export interface SeenWorld {
  readonly fleet: Fleet
  readonly agents: ReadonlyMap<string, SeenAgent>
  /** Of all that were ever in force, by name. */
  readonly policies: ReadonlyMap<string, Policy>
  /** True time, ms. */
  now(): number
  place(node: string): Place | undefined
  pausesNow(): readonly Pause[]
  /** Its permit ended with its node, which the mesh held for dead. */
  isVoid(permitId: string): boolean
  /** Lately. */
  wasCut(node: string): boolean
  wasItsOwn(node: string, reason: string): boolean
}

/** What has happened so far, for one check after another. */
export interface Seen {
  readonly world: SeenWorld
  readonly counts: ReadonlyMap<string, number>
  /** By nonce: the id of the permit that answers it. */
  readonly sent: ReadonlyMap<string, string>
  readonly permits: ReadonlyMap<string, PermitRequest & { readonly grantedAt: number }>
  readonly usedPermits: ReadonlySet<string>
  /** By node, plan and when it was planned. */
  readonly deeds: ReadonlyMap<string, Begun>
  /** By node: the plan that it is carrying out. */
  readonly acting: ReadonlyMap<string, string>
  /** By plan: what the last look at what was done saw. */
  readonly looks: ReadonlyMap<string, readonly Finding[]>
  fail(invariant: Invariant, node: string, what: string): void
}
