/** What the settings say of fixes on one node: as the node reads them, as the leader does for it, and as people ask. */
import type { NodeTraits } from '../common/selector.ts'
import type { Remediator } from '../remediators/contract.ts'
import type { Rules } from '../remediators/policy/rules.ts'
import { readPolicies } from '../remediators/policy/schema.ts'
import { readRemediatorSettings } from '../remediators/settings.ts'
import type { SettingsDocument } from './document.ts'
import { settingsFor } from './overrides.ts'
import { ownSettings } from './validate.ts'

/** What `document` says of others than `remediators` is passed over. Throws UsageError for what is not valid of them. */
export function rulesOf(
  document: Pick<SettingsDocument, 'remediators' | 'overrides' | 'policies'>,
  traits: NodeTraits,
  remediators: readonly Remediator[],
): Rules {
  const own = ownSettings(settingsFor(document, traits).remediators, remediators)
  const policies = readPolicies(document.policies)
  return { node: traits.node, traits, policies, byName: readRemediatorSettings(remediators, own) }
}
