/** The manifests that we ship, for whoever applies them to a control plane of their own. */
import { fileURLToPath } from 'node:url'

/** The roles of the aggregator, each with its binding in a file of its own, so that each is given or not. */
export const ROLES = ['observe', 'mark', 'remediations', 'remediate', 'fence'] as const
export type Role = (typeof ROLES)[number]

/** What the manifests call them. */
export const NAMESPACE = 'starling'
export const AGGREGATOR_ACCOUNT = 'starling-aggregator'

export function manifest(name: 'namespace' | Role): string {
  return fileURLToPath(new URL(`../../deploy/kubernetes/${name}.yaml`, import.meta.url))
}
