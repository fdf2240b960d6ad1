/** The shapes behind settings in the API, as model.ts has those of all else. */
import type { SettingsDocument } from '../settings/document.ts'
import type { RolloutSettings } from '../settings/stages.ts'

/** Which settings nodes are to run, and which they do. */
export interface SettingsView {
  /** In force: of every node that a version on its way is not for yet. */
  readonly version: number
  /** By node, the version that it says it runs. */
  readonly applied: Readonly<Record<string, number>>
  /** By node, what it does not take over, and why. */
  readonly refused: Readonly<Record<string, { readonly version: number; readonly why: string }>>
  /** A version on its way, or halted on it; null when there is none. */
  readonly rollout: RolloutView | null
  /** Versions of detectors that are held. */
  readonly held: readonly VersionHold[]
  /** How the latest roll-out ended that is over, and why; null before any was. */
  readonly last: {
    readonly version: number
    readonly outcome: 'done' | 'halted' | 'replaced'
    readonly why: string
  } | null
}

/** A version of a detector whose findings do not count at present, and why. */
export interface VersionHold {
  readonly detector: string
  readonly version: string
  readonly why: string
}

export interface RolloutView {
  readonly version: number
  /** Nodes that it is for by now, in the order of the roster. */
  readonly nodes: readonly string[]
  /** Of so many members. */
  readonly of: number
  /** Stages that are still to come. */
  readonly stagesLeft: number
  /** When this stage began, RFC 3339, and for how long it is watched, ms. */
  readonly since: string
  readonly soakMs: number
  /** Why it goes no further; null while it does. */
  readonly halted: string | null
}

/** Settings that somebody hands in. */
export interface Proposal {
  /** Not yet checked. */
  readonly document: unknown
  /** How it is to reach the nodes, in place of what it says itself. */
  readonly rollout?: RolloutSettings
  readonly via: 'page' | 'cli' | 'api'
}

/** Who goes back to the content of an earlier version, and why. */
export interface Rollback {
  readonly reason: string
  readonly via: Proposal['via']
  /** Without it: what was in force before. */
  readonly version?: number
}

/** All that is known of the settings. */
export interface SettingsDetail extends SettingsView {
  readonly document: SettingsDocument
  /** Versions that can be gone back to, the latest first. */
  readonly versions: readonly { readonly version: number; readonly at: string }[]
}
