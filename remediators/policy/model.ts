/**
 * A policy: for which findings on which nodes which fixes are tried, in which order, how far by themselves, and when. The
 * first policy of the settings that fits a finding decides; a finding that none fits follows the modes of the remediators.
 */
import type { Duration } from '../../common/duration.ts'
import type { Selector } from '../../common/selector.ts'
import type { Severity } from '../../detectors/contract.ts'
import type { Mode } from '../contract.ts'

export interface Policy {
  /** kebab-case, unique in the settings. */
  readonly name: string
  /** As everywhere: one that gives nothing fits nothing. `all` fits every node, and stands alone. */
  readonly selector: Selector | { readonly all: true }
  /** Any of these. Of those that one gives, all must fit. Never empty, and none of them is. */
  readonly match: readonly { readonly reason?: string; readonly severity?: Severity }[]
  readonly mode: Mode
  /** From the mildest to the last: a rung is tried when the one before it did not help. Never empty. */
  readonly ladder: readonly Rung[]
  /** Modes approve and auto begin only within one of these; at any time when there are none. */
  readonly windows: readonly Window[]
  /** How long after an ended fix of the same fault on the same node nothing is tried again. */
  readonly coolDown: Duration
}

export interface Rung {
  readonly remediator: string
  /** How often it is tried for one fault within a day before the next rung is; 1 to 10. */
  readonly attempts: number
  /** In place of the remediator's own. */
  readonly timeout?: Duration
}

export interface Window {
  /** When it opens: five fields, as node-cron reads them. */
  readonly cron: string
  readonly duration: Duration
  /** IANA name. */
  readonly timeZone: string
}
