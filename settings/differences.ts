/** What one settings document says otherwise than another, value by value. */
import type { SettingsDocument } from './document.ts'

/**
 * A value at a place; undefined where nothing is said. A list is one value, but for overrides, which are told apart by their
 * place, and policies, which have names; their order, which decides, is a value of its own.
 */
export interface Difference {
  /** Keys from the top, as `detectors.conntrack.options.warnRatio`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** In the order of their paths; none but the version's when the documents say the same. */
export function differences(before: SettingsDocument, after: SettingsDocument): readonly Difference[] {
  const [was, is] = [valuesOf(before), valuesOf(after)]
  const paths = new Set([...was.keys(), ...is.keys()])
  return [...paths]
    .toSorted()
    .map((path) => ({ path, before: was.get(path), after: is.get(path) }))
    .filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after))
}

/** Whether a node runs otherwise by the one than by the other: the rest is the leader's own matter. */
export function changesNodes(before: SettingsDocument, after: SettingsDocument): boolean {
  return differences(before, after).some(({ path }) => /^(detectors|remediators|overrides|policies)(\.|$)/.test(path))
}

/** Whether they differ by no more than their versions. */
export function saysTheSame(one: SettingsDocument, other: SettingsDocument): boolean {
  return differences(one, other).every(({ path }) => path === 'version')
}

function valuesOf(document: SettingsDocument): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  const walk = (value: unknown, path: string): void => {
    const isOpen = typeof value === 'object' && value !== null && (!Array.isArray(value) || isOpened(path, value))
    const inner = isOpen ? Object.entries(value) : []
    // An empty part says nothing; the empty value of an option does.
    if (!isOpen || (inner.length === 0 && path.includes('.options.'))) values.set(path, value)
    for (const [key, part] of inner) walk(part, path === '' ? key : `${path}.${key}`)
  }
  const { policies = [], ...others } = document
  if (policies.length > 1)
    values.set(
      'policies',
      policies.map(({ name }) => name),
    )
  walk({ ...others, policies: Object.fromEntries(policies.map(({ name, ...said }) => [name, said])) }, '')
  return values
}

/** What a policy matches, its ladder and its windows have parts of their own to compare. */
function isOpened(path: string, list: readonly unknown[]): boolean {
  return path === 'overrides' || (path.startsWith('policies.') && list.every((one) => typeof one === 'object'))
}
