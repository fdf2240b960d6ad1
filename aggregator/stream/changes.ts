/** From one told state to the next, and back together: what the aggregator leaves out, the page has. */
import type { Snapshot } from '../model.ts'
import type { Changes, ListedByKey, NumberedState, StateChange, ToldState } from './told-state.ts'

const KEYS: { readonly [L in keyof ListedByKey]: (one: ListedByKey[L]) => string } = {
  members: ({ node }) => node,
  findings: ({ id }) => id,
  verdicts: ({ id }) => id,
  remediations: ({ plan }) => plan.id,
}

export function toldStateOf({ findings, ...rest }: Snapshot): ToldState {
  let [ok, notApplicable] = [0, 0]
  const ill = findings.filter(({ status }) => {
    if (status === 'ok') ok++
    else if (status === 'not-applicable') notApplicable++
    else return true
    return false
  })
  return { ...rest, findings: ill, wellFindings: { ok, notApplicable } }
}

/** Undefined when nothing did. */
export function changesBetween(before: NumberedState, now: ToldState): StateChange | undefined {
  const { number: basedOn, members, findings, verdicts, remediations, ...partsBefore } = before
  const { members: _, findings: __, verdicts: ___, remediations: ____, ...partsNow } = now
  const was = new Map<string, unknown>(Object.entries(partsBefore))
  const parts = Object.fromEntries(Object.entries(partsNow).filter(([name, part]) => !isSame(was.get(name), part)))
  const lists = {
    members: listChanges(members, now.members, KEYS.members),
    findings: listChanges(findings, now.findings, KEYS.findings),
    verdicts: listChanges(verdicts, now.verdicts, KEYS.verdicts),
    remediations: listChanges(remediations, now.remediations, KEYS.remediations),
  }
  const isNothing = Object.values(lists).every(({ put, removed }) => put.length + removed.length === 0)
  if (isNothing && Object.keys(parts).length === 0) return undefined
  return { basedOn, number: basedOn + 1, parts, ...lists }
}

/** Undefined when the change is based on another state: then only a whole one helps. */
export function applyChange(state: NumberedState, change: StateChange): NumberedState | undefined {
  if (change.basedOn !== state.number) return undefined
  return {
    ...state,
    ...change.parts,
    number: change.number,
    members: changedList(state.members, change.members, KEYS.members),
    findings: changedList(state.findings, change.findings, KEYS.findings),
    verdicts: changedList(state.verdicts, change.verdicts, KEYS.verdicts),
    remediations: changedList(state.remediations, change.remediations, KEYS.remediations),
  }
}

function listChanges<T>(before: readonly T[], now: readonly T[], keyOf: (one: T) => string): Changes<T> {
  const gone = new Map(before.map((one) => [keyOf(one), one]))
  const put: T[] = []
  for (const one of now) {
    const key = keyOf(one)
    const known = gone.get(key)
    if (known === undefined || !isSame(known, one)) put.push(one)
    gone.delete(key)
  }
  return { put, removed: [...gone.keys()] }
}

/** The very list when nothing of it changed. */
function changedList<T>(list: readonly T[], { put, removed }: Changes<T>, keyOf: (one: T) => string): readonly T[] {
  if (put.length + removed.length === 0) return list
  const all = new Map(list.map((one) => [keyOf(one), one]))
  for (const key of removed) all.delete(key)
  for (const one of put) all.set(keyOf(one), one)
  return [...all.values()]
}

/** As it is told. Of most it is the very object. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}
