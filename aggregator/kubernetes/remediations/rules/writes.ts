/** What is to be written so that an object shows what it should. Pure. */
import { isSame } from './is-same.ts'
import { API_VERSION, KIND, type ObjectCondition, type ObjectStatus, type RemediationObject } from './object.ts'
import type { Shown } from './shown.ts'

export type Write =
  | { readonly kind: 'create'; readonly name: string; readonly body: object }
  /** A merge patch of the object or of its status. */
  | { readonly kind: 'patch' | 'patchStatus'; readonly name: string; readonly body: object }
  | { readonly kind: 'remove'; readonly name: string }

/** What became of an object's decision: it is taken off, and this is said. */
export type Answer = Omit<ObjectCondition, 'type'>

export interface Wanted {
  readonly shown: Shown
  readonly answer: Answer | undefined
  /** Of texts that differ while the phase is the same: figures in them change with every refusal. */
  readonly withTexts: boolean
}

/** The next write towards what is wanted; undefined when there is nothing to be done. Of somebody else's labels none goes. */
export function nextWrite(object: RemediationObject | undefined, wanted: Wanted): Write | undefined {
  const { name, labels, spec } = wanted.shown
  if (object === undefined) {
    const body = { apiVersion: API_VERSION, kind: KIND, metadata: { name, labels }, spec }
    return { kind: 'create', name, body }
  }
  const { decision, ...ours } = object.spec ?? {}
  const isTaken = wanted.answer !== undefined && decision !== undefined
  const hasLabels = Object.entries(labels).every(([key, value]) => object.metadata.labels?.[key] === value)
  if (isTaken || !hasLabels || !isSame(ours, spec)) {
    const body = { metadata: { labels }, spec: { ...spec, ...(isTaken ? { decision: null } : {}) } }
    return { kind: 'patch', name, body }
  }
  const status = statusOf(object.status, wanted)
  const isShown = isSame(object.status, status)
  const isNews = !isSame(gist(object.status), gist(status))
  if (isShown || !(isNews || wanted.withTexts)) return undefined
  return { kind: 'patchStatus', name, body: { status } }
}

/** Of an object that no node has a plan for: that nothing is known of it. Undefined when there is nothing to be done. */
export function strangerWrite(object: RemediationObject, answer: Answer | undefined): Write | undefined {
  const { name } = object.metadata
  if (answer !== undefined && object.spec?.decision !== undefined) {
    return { kind: 'patch', name, body: { spec: { decision: null } } }
  }
  const { conditions = [], phase } = object.status ?? {}
  const taken = answer === undefined ? [] : [{ type: 'DecisionTaken', ...answer } as const]
  const others = conditions.filter(({ type }) => answer === undefined || type !== 'DecisionTaken')
  const next = [...others, ...taken]
  const isEnded = conditions.some(({ type, status }) => type === 'Ended' && status === 'True')
  if (isSame(next, conditions) && (isEnded || phase === 'unknown')) return undefined
  const unknown = isEnded ? {} : { phase: 'unknown', why: 'no node of this mesh has said anything of such a plan' }
  return { kind: 'patchStatus', name, body: { status: { ...unknown, conditions: next } } }
}

function statusOf(before: RemediationObject['status'], { shown, answer }: Wanted): ObjectStatus {
  const { status, ended } = shown
  const kept = (type: ObjectCondition['type']) => before?.conditions?.find((condition) => condition.type === type)
  const isEnded = ended ? 'True' : 'False'
  const was = kept('Ended')
  const lastTransitionTime = was?.status === isEnded ? was.lastTransitionTime : status.at
  const reason = pascal(status.phase)
  // What was decided on an earlier proposal is no word on this one.
  const decided = before?.proposal === status.proposal ? kept('DecisionTaken') : undefined
  const taken: ObjectCondition | undefined = answer === undefined ? decided : { type: 'DecisionTaken', ...answer }
  const end = { type: 'Ended', status: isEnded, reason, message: status.why, lastTransitionTime } as const
  return { ...status, conditions: [end, ...(taken === undefined ? [] : [taken])] }
}

/** A status without the texts that change while nothing happens. */
function gist(status: RemediationObject['status']): unknown {
  const { why: _, at: __, guards = [], conditions = [], ...rest } = status ?? {}
  return {
    ...rest,
    guards: guards.map(({ name }) => name),
    conditions: conditions.map((condition) => (condition.type === 'Ended' ? { ...condition, message: '' } : condition)),
  }
}

function pascal(phase: string): string {
  return phase.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
