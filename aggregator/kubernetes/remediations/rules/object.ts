/** The custom resource `Remediation` as an API server holds it: one plan of one node, and what a person says about it. */
import type { Change, Mode, Reach, RemediationPhase, Risk } from '../../../../remediators/contract.ts'

export const GROUP = 'starling.mesh'
export const API_VERSION = `${GROUP}/v1alpha1`
export const RESOURCE = 'remediations'
export const KIND = 'Remediation'

/** So that `kubectl get remediations -l` finds them. */
export const NODE_LABEL = `${GROUP}/node`
export const POLICY_LABEL = `${GROUP}/policy`

/** Anybody who may write these objects wrote any of it: nothing is sure to be there, or to be what the leader wrote. */
export interface RemediationObject {
  readonly metadata: {
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
    /** Goes up with each change of the spec. */
    readonly generation: number
    readonly creationTimestamp: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly spec?: Partial<ObjectSpec> & { readonly decision?: unknown }
  readonly status?: Partial<ObjectStatus>
}

/** What the leader writes of the spec; `decision` beside it is a person's. */
export interface ObjectSpec {
  readonly nodeName: string
  readonly remediator: string
  readonly reason: string
  readonly cause: string
  readonly reach: Reach
  readonly risk: Risk
  readonly planHash: string
  readonly evidenceHash: string
  /** Names this proposal of the plan and no other; a decision repeats it. */
  readonly proposal: string
}

export interface ObjectStatus {
  /** That the status is about. */
  readonly proposal: string
  /** `unknown`: no node has said anything of such a plan. */
  readonly phase: RemediationPhase | 'unknown'
  readonly why: string
  readonly at: string
  readonly mode: Mode
  readonly policy: string
  readonly plan: readonly Change[]
  /** Changes of the plan that do not fit into the object. */
  readonly leftOut: number
  /** Those that refused. */
  readonly guards: readonly { readonly name: string; readonly why: string }[]
  readonly conditions: readonly ObjectCondition[]
}

/** `Ended`: nothing more becomes of the plan. `DecisionTaken`: what became of the last decision by this object. */
export interface ObjectCondition {
  readonly type: 'Ended' | 'DecisionTaken'
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}
