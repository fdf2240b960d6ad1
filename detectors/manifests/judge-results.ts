/** From what a plugin said to what the engine is told: the manifest's reasons, and the milder ones that they include. */
import type { Judgement, Reason } from '../contract.ts'
import type { PluginResult } from './result.ts'
import type { Manifest } from './schema.ts'

/** The dialect's states and the reason that each is; a dialect without states names reasons itself. */
export type States = Readonly<Record<string, string>>

export function statesOf(manifest: Manifest): States {
  return 'states' in manifest ? manifest.states : {}
}

/** Throws an Error when a result names a reason that the manifest does not have. */
export function judgeResults(
  reasons: Readonly<Record<string, Reason>>,
  states: States,
  results: readonly PluginResult[],
): readonly Judgement[] {
  return results.flatMap(({ state, cause, message, evidence }) => {
    if (state === 'ok') return []
    const reason = states[state] ?? state
    if (!Object.hasOwn(reasons, reason)) throw new Error(`${reason} is none of the reasons in its manifest`)
    return withMilder(reasons, reason).map((each) => ({ reason: each, cause, summary: message, evidence }))
  })
}

/** The engine keeps the sustain of each apart, so a worse fault is also a sighting of the milder one. */
export function withMilder(reasons: Readonly<Record<string, Reason>>, reason: string): readonly string[] {
  const chain = [reason]
  for (let at = reasons[reason]?.supersedes; at !== undefined && !chain.includes(at); at = reasons[at]?.supersedes) {
    chain.unshift(at)
  }
  return chain
}
