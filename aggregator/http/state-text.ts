/** The present as JSON. Most of it is as it was a moment ago: what is said of a member or a finding is written once. */
import type { Snapshot } from '../model.ts'

const texts = new WeakMap<object, string>()

/** As JSON.stringify has it, but for the order of its parts. */
export function stateTextOf({ members, findings, ...rest }: Snapshot): string {
  return `${JSON.stringify(rest).slice(0, -1)},"members":${listOf(members)},"findings":${listOf(findings)}}`
}

function listOf(all: readonly object[]): string {
  return `[${all.map(textOf).join(',')}]`
}

/** By the object, which is never changed: what changes is another. */
function textOf(one: object): string {
  const known = texts.get(one)
  if (known !== undefined) return known
  const text = JSON.stringify(one)
  texts.set(one, text)
  return text
}
