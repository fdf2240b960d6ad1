/**
 * What some nodes are to do otherwise: by role, pool, zone or name. Of the parts that match a node, later ones win. What
 * a detector or remediator is told is merged key by key, and so are its options, at their first level only: an option's
 * own value, such as a map of kernel parameters, is replaced whole, since else no part could take an entry away.
 */
import { z } from 'zod'
import { fits, type NodeTraits, type Selector, selectorPart } from '../common/selector.ts'

/** As many as anybody could keep in mind, and then some. */
const OVERRIDES_MAX = 256

/** `byPlugin`: what may be said by the name of a detector or remediator. */
export function overridesPart<T extends z.ZodType>(byPlugin: T) {
  const override = z.strictObject({
    selector: selectorPart,
    detectors: byPlugin.exactOptional(),
    remediators: byPlugin.exactOptional(),
  })
  return z.array(override).max(OVERRIDES_MAX)
}

/** What is said by the name of a detector or remediator. */
export type Said = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** What the nodes that a selector fits are told. */
export interface Override {
  readonly selector: Selector
  readonly detectors?: Said
  readonly remediators?: Said
}

export interface NodeSettings {
  readonly detectors: Said
  readonly remediators: Said
}

/** What this node is told. */
export function settingsFor(
  document: { readonly detectors?: Said; readonly remediators?: Said; readonly overrides?: readonly Override[] },
  node: NodeTraits,
): NodeSettings {
  const parts = [document, ...(document.overrides ?? []).filter(({ selector }) => fits(selector, node))]
  return {
    detectors: mergedAll(parts.map(({ detectors = {} }) => detectors)),
    remediators: mergedAll(parts.map(({ remediators = {} }) => remediators)),
  }
}

function mergedAll(parts: readonly Said[]): Said {
  const all: Record<string, Readonly<Record<string, unknown>>> = {}
  for (const part of parts) for (const [name, said] of Object.entries(part)) all[name] = merged(all[name], said)
  return all
}

/** What is said of one detector or remediator, with what a later part says over it. */
export function merged(
  below: Readonly<Record<string, unknown>> | undefined,
  above: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const both = { ...below, ...above }
  return isMap(below?.options) && isMap(above.options)
    ? { ...both, options: { ...below.options, ...above.options } }
    : both
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
