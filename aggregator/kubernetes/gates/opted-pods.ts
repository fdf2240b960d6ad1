/** Where the pods that opted in for a readiness gate come from: an API server, or a test. */
import type { PodObject } from '../marking/objects.ts'

/**
 * `anew`: all of them are told from here on, those that are not are gone. `whole`: all that there were have been told by
 * now. `pod`: as it is. `gone`: it is no more, or has the label no more.
 */
export type PodNews =
  | { readonly kind: 'anew' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'pod' | 'gone'; readonly pod: PodObject }

export interface OptedPods {
  /** Once. `failed`: why nothing more is told for now. */
  start(told: (news: PodNews) => void, failed: (error: unknown) => void): void
  stop(): void
}
