/** Everything that is to be written, the most urgent first. Pure. */
import type { Remediation } from '../../../../remediators/contract.ts'
import { chosen, outdated } from './choose.ts'
import { isSame } from './is-same.ts'
import type { RemediationObject } from './object.ts'
import type { Shown } from './shown.ts'
import { type Answer, nextWrite, strangerWrite, type Write } from './writes.ts'

export interface AgendaInit {
  readonly objects: ReadonlyMap<string, RemediationObject>
  /** By plan, as nodes said it last. */
  readonly all: ReadonlyMap<string, Remediation>
  /** What ended before this (RFC 3339) is not shown. */
  readonly since: string
  /** By object, what became of its decision and is not said there yet. */
  readonly unsaid: ReadonlyMap<string, Answer>
  /** It is known what nodes say: what no node speaks of is nobody's. */
  readonly isSettled: boolean
  shownOf(remediation: Remediation): Shown
  /** Whether texts are written that changed while nothing happened. */
  withTexts(name: string): boolean
}

/** What people decided comes first, then what waits for them, what runs, what has ended, and what is to go. */
export function* agenda(init: AgendaInit): Generator<Write> {
  const { objects, all, since, unsaid, isSettled } = init
  const shown = chosen([...all.values()], since)
  const isDecided = ({ plan }: Remediation) => unsaid.has(plan.id)
  for (const remediation of [...shown.filter(isDecided), ...shown.filter((one) => !isDecided(one))]) {
    const { id } = remediation.plan
    const wanted = { shown: init.shownOf(remediation), answer: unsaid.get(id), withTexts: init.withTexts(id) }
    const write = nextWrite(objects.get(id), wanted)
    if (write !== undefined) yield write
  }
  const names = new Set(shown.map(({ plan }) => plan.id))
  const others = [...objects.values()].filter(({ metadata }) => !names.has(metadata.name))
  for (const { metadata } of others.filter(({ metadata: { name } }) => all.has(name))) {
    yield { kind: 'remove', name: metadata.name }
  }
  if (!isSettled) return
  const strangers = others.filter(({ metadata }) => !all.has(metadata.name))
  const old = new Set(outdated(strangers, since))
  for (const object of strangers) {
    const { name } = object.metadata
    const write = old.has(object) ? ({ kind: 'remove', name } as const) : strangerWrite(object, unsaid.get(name))
    if (write !== undefined) yield write
  }
}

/** Whether the object says this of its decision, and has no other. */
export function isSaid({ spec, status }: RemediationObject, answer: Answer): boolean {
  const said = status?.conditions?.find(({ type }) => type === 'DecisionTaken')
  return spec?.decision === undefined && isSame(said, { type: 'DecisionTaken', ...answer })
}
