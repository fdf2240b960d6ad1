/** What an object shows of a remediation. Pure. */
import { UNPRINTABLE } from '../../../../common/unprintable.ts'
import type { Change, Remediation } from '../../../../remediators/contract.ts'
import { NODE_LABEL, type ObjectSpec, type ObjectStatus, POLICY_LABEL } from './object.ts'
import { proposalOf } from './tokens.ts'

/** etcd takes requests of 1.5 MiB, and a LIST of hundreds of objects has 2 s; more is no plan that a person reads. */
const PLAN_CHARS_MAX = 32_768
/** Of Kubernetes. */
const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/

export interface Shown {
  /** The plan's id. */
  readonly name: string
  /** A name that is no value of a label has none. */
  readonly labels: Readonly<Record<string, string>>
  readonly spec: ObjectSpec
  readonly status: Omit<ObjectStatus, 'conditions'>
  readonly ended: boolean
}

export function shownOf({ plan, phase, why, at, mode, policy, guards = [], ended }: Remediation): Shown {
  const { id, node, remediator, reason, cause, reach, risk, planHash, evidenceHash } = plan
  const proposal = proposalOf(plan)
  const { changes, leftOut } = fitting(plan.changes.map(legible))
  return {
    name: id,
    labels: labelsOf({ [NODE_LABEL]: node, [POLICY_LABEL]: policy }),
    spec: {
      ...{ nodeName: visible(node), remediator: visible(remediator), reason: visible(reason), cause: visible(cause) },
      ...{ reach, risk, planHash, evidenceHash, proposal },
    },
    status: {
      ...{ proposal, phase, why: visible(why), at, mode, policy: visible(policy), plan: changes, leftOut },
      guards: guards
        .filter(({ allowed }) => !allowed)
        .map(({ guard, why: says }) => ({ name: visible(guard), why: visible(says) })),
    },
    ended: ended === true,
  }
}

/**
 * The text as a terminal shows it, whole: what a screen would obey stands there by its number. Nodes write it, `kubectl`
 * prints it, and a person decides by it, so nothing may hide in it or be left out of it.
 */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

function legible({ what, before, after, undo }: Change): Change {
  return { what: visible(what), before: visible(before), after: visible(after), undo: visible(undo) }
}

/** Of a plan that is too long the first changes. */
function fitting(changes: readonly Change[]): { readonly changes: readonly Change[]; readonly leftOut: number } {
  let chars = 0
  const fits = changes.findIndex(({ what, before, after, undo }) => {
    chars += what.length + before.length + after.length + undo.length
    return chars > PLAN_CHARS_MAX
  })
  const count = fits === -1 ? changes.length : fits
  return { changes: changes.slice(0, count), leftOut: changes.length - count }
}

function labelsOf(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => LABEL_VALUE.test(value)))
}
