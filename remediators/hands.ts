/** Who carries plans out: this process itself, or a fixer with the rights for it that this one does without. */
import { randomBytes } from 'node:crypto'
import { formatDuration } from '../common/duration.ts'
import { StarlingError } from '../common/errors.ts'
import type { Host } from '../detectors/contract.ts'
import { type Plan, type Remediator, StalePlan } from './contract.ts'
import { createControl } from './control.ts'
import type { Permit } from './permits.ts'

/** Deeds end within their time limit, ms: then the result is unclear. */
export interface Hands {
  /**
   * 128 bits of chance, hex, with which the leader is asked: what is done by its answer begins within BEGIN_WITHIN_MS from
   * now. Rejects, saying why, when nothing can be carried out.
   */
  challenge(): Promise<string>
  /**
   * `permit`: what it is done by; null for what a node may do cut off from the leader. Rejects with a StalePlan, by name, when
   * nothing was changed: the host is not as the plan says, or who has the rights for it did not do it. Rejects with Unclear
   * when who did it ended before it could say how far it got.
   */
  apply(plan: Plan, permit: Permit | null, limitMs: number): Promise<void>
  /** Needs no permit, ever. */
  revert(plan: Plan, limitMs: number): Promise<void>
}

export interface OwnHandsInit {
  readonly host: Host
  /** Where the host's root is mounted: `/` on the host itself, `/host` in a pod. */
  readonly root: string
  readonly remediators: readonly Remediator[]
}

/** Nobody knows how far it got, and nothing of it goes on. Told by its name. */
export class Unclear extends Error {
  override name = 'Unclear'
}

const NONCE_BYTES = 16
const NO_HANDS = 'no fixer on this node'

/** Of a node that only looks. */
export const noHands: Hands = {
  challenge: () => Promise.reject(new Error(NO_HANDS)),
  apply: () => Promise.reject(new StalePlan(NO_HANDS)),
  revert: () => Promise.reject(new Error(NO_HANDS)),
}

/** The remediators in this process, each held to what it says that it touches. */
export function ownHands({ host, root, remediators }: OwnHandsInit): Hands {
  const handsOf = (plan: Plan) => {
    const remediator = remediators.find(({ name }) => name === plan.remediator)
    if (remediator === undefined) throw new StarlingError(`this agent has no remediator ${plan.remediator} any more`)
    return { remediator, control: createControl({ host, root, touches: remediator.touches }) }
  }
  return {
    challenge: async () => randomBytes(NONCE_BYTES).toString('hex'),
    async apply(plan, _, limitMs) {
      const { remediator, control } = handsOf(plan)
      await within(limitMs, (signal) => remediator.apply(plan, control, signal))
    },
    async revert(plan, limitMs) {
      const { remediator, control } = handsOf(plan)
      await within(limitMs, (signal) => remediator.revert(plan, control, signal))
    },
  }
}

/** Rejects after `limitMs`, with the signal aborted so that nothing new is begun. */
export async function within<T>(limitMs: number, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    const error = new Error(`no end within ${formatDuration(limitMs)}`)
    abort.abort(error)
    reject(error)
  }, limitMs)
  try {
    return await Promise.race([act(abort.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
