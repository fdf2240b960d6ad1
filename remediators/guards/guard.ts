/** What a guard is: a pure question about the fleet as the leader sees it, and a sentence in answer. */
import type { Reach } from '../contract.ts'
import type { GuardSettings } from './settings.ts'
import type { GuardView } from './view.ts'

export interface Guard {
  /** kebab-case, one meaning each. */
  readonly name: string
  /** What it looks at, one line for the table in docs/remediation.md. */
  readonly looksAt: string
  /** What it asks of a fix that stops no process, in words. */
  readonly reachNone: 'the same' | 'nothing' | string
  /** What its settings say, in words. */
  limits(settings: GuardSettings): string
  judge(view: GuardView, settings: GuardSettings): Judgement
}

export type Judgement = { readonly allowed: true; readonly why: string } | Objection

export interface Objection {
  readonly allowed: false
  /** One sentence with the figures. */
  readonly why: string
  /** How long it is not worth asking again. */
  readonly restMs: number
}

/** Whether a fix of this reach disturbs what runs on its node. */
export function disturbs(reach: Reach): boolean {
  return reach !== 'none'
}

export function allow(why: string): Judgement {
  return { allowed: true, why }
}

export function refuse(why: string, restMs: number): Judgement {
  return { allowed: false, why, restMs }
}
