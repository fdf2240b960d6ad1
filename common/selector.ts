/** Which nodes something is meant for, as people write it in settings: by role, pool, zone or name. */
import { z } from 'zod'

const names = z.array(z.string().min(1).max(253)).min(1).max(1_000)

/** Of each kind that is given one must fit. A selector that gives none fits nothing. */
export const selectorPart = z.strictObject({
  roles: names.exactOptional(),
  pools: names.exactOptional(),
  zones: names.exactOptional(),
  nodes: names.exactOptional(),
})

export type Selector = z.infer<typeof selectorPart>

/** What selectors ask about a node. */
export interface NodeTraits {
  readonly node: string
  readonly zone: string
  readonly roles: readonly string[]
  /** Undefined for a node that belongs to none. */
  readonly pool?: string | undefined
}

export function fits({ roles, pools, zones, nodes }: Selector, traits: NodeTraits): boolean {
  const asked = [
    roles?.some((role) => traits.roles.includes(role)),
    pools?.includes(traits.pool ?? ''),
    zones?.includes(traits.zone),
    nodes?.includes(traits.node),
  ].filter((answer) => answer !== undefined)
  return asked.length > 0 && asked.every(Boolean)
}
