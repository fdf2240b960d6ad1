/** Why a node is what it is: its recent events, gathered into chains from each first cause to what came of it. */
import type { Explanation, Journal, MemberView, StoredEvent } from './model.ts'

/** How far back the answer looks, and how many chains it gives: the latest first. */
const EVENTS_READ = 500
const CHAINS_SHOWN = 8

export function explainNode(member: MemberView, store: Journal): Explanation {
  const events = store.query({ node: member.node, limit: EVENTS_READ })
  const byRoot = new Map<string, StoredEvent[]>()
  for (const event of events) {
    const root = rootOf(event, store)
    byRoot.set(root, [...(byRoot.get(root) ?? []), event])
  }
  const chains = [...byRoot.values()]
    .toSorted((a, b) => (b.at(-1)?.seq ?? 0) - (a.at(-1)?.seq ?? 0))
    .slice(0, CHAINS_SHOWN)
    .map((chain) => ({ title: titleOf(chain), events: chain }))
  return { member, chains }
}

/** Walks back to the event that nothing known led to. Bounded, since a chain in a damaged history could be a circle. */
function rootOf(event: StoredEvent, store: Journal): string {
  let here = event
  for (let steps = 0; steps < 100; steps++) {
    const cause = here.causedBy === '' ? null : store.byId(here.causedBy)
    if (cause === null) break
    here = cause
  }
  return here.id
}

function titleOf(chain: readonly StoredEvent[]): string {
  switch (chain[0]?.kind) {
    case 'joined':
      return 'Its agent'
    case 'finding':
    case 'plan':
    case 'permit':
    case 'permit-refused':
    case 'remediation':
      return 'What was found on it'
    case 'observer-fault':
      return 'How it sees others'
    default:
      return 'Whether it lives'
  }
}
