/**
 * After the last test of a run. Tests remove their networks themselves, but one that several files share ends with its
 * process, and vitest grants that half a second.
 */
import { missingForNamespaces, removeLeftovers } from '../bench/namespaces/namespace.ts'

export function teardown(): void {
  if (missingForNamespaces() === undefined) removeLeftovers()
}
