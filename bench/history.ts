/** What the mesh under test has on record: the leader's events, and what each agent says in its log. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventKind, StoredEvent } from '../aggregator/model.ts'
import type { ApiClient } from '../cli/client.ts'

const PAGE = 1_000

/** The number of the newest event; 0 for none. */
export async function lastSeq(client: ApiClient): Promise<number> {
  return (await client.events({ limit: 1 })).at(-1)?.seq ?? 0
}

/** Events after `seq`, of these kinds or of all. Throws when they are more than the API gives at once. */
export async function eventsAfter(
  client: ApiClient,
  seq: number,
  kinds?: readonly EventKind[],
): Promise<readonly StoredEvent[]> {
  const page = await client.events({ kinds, limit: PAGE })
  if (page.length === PAGE && (page[0]?.seq ?? 0) > seq + 1) throw new Error(`more than ${PAGE} events to look through`)
  return page.filter((event) => event.seq > seq)
}

/** When this node's agent heard of that verdict, wall clock in ms; undefined when it has not. `dir`: the mesh's folder. */
export function heardAt(dir: string, node: string, verdictId: string): number | undefined {
  const lines = readFileSync(join(dir, node, 'agent.log'), 'utf8').split('\n')
  const line = lines.findLast((each) => each.includes(verdictId))
  return line === undefined ? undefined : Date.parse((JSON.parse(line) as { time: string }).time)
}
