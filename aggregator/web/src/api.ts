/** What the page asks of the aggregator. The browser adds the cookie that holds the token. */
import type { MatrixRow, StoredEvent } from '../../model.ts'
import type { Caller, DecisionRequest, Release } from '../../remediation-model.ts'

/** The aggregator does not know this browser (any more). */
export class NoToken extends Error {
  override name = 'NoToken'
}

/** The newest `limit` events before `before` (a seq), oldest first. Throws NoToken, or Error with a text for people. */
export async function fetchEvents(limit: number, before?: number): Promise<readonly StoredEvent[]> {
  const query = before === undefined ? '' : `&before=${before}`
  const answer = await request(`/api/v1/events?limit=${limit}${query}`)
  return ((await answer.json()) as { items: StoredEvent[] }).items
}

/** Whose token this browser has. Throws NoToken, or Error with a text for people. */
export async function fetchMe(): Promise<Caller> {
  return (await (await request('/api/v1/me')).json()) as Caller
}

/** Who sees this node. Throws NoToken, or Error with a text for people. */
export async function fetchMatrixRow(node: string): Promise<MatrixRow> {
  const answer = await request(`/api/v1/mesh/matrix?node=${encodeURIComponent(node)}`)
  const [row] = ((await answer.json()) as { items: MatrixRow[] }).items
  if (row === undefined) throw new Error(`the aggregator says nothing of ${node}`)
  return row
}

/** Throws NoToken, or Error with the aggregator's reason. */
export async function postDecision(planId: string, action: DecisionRequest['action'], reason: string): Promise<void> {
  await post(`/api/v1/remediations/${encodeURIComponent(planId)}/decision`, { action, reason, via: 'page' })
}

/** Ends a freeze. Throws NoToken, or Error with the aggregator's reason. */
export async function postRelease(reason: string): Promise<void> {
  await post('/api/v1/mesh/release', { reason, via: 'page' } satisfies Release)
}

async function post(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  await request(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(path, init)
  if (answer.ok) return answer
  if (answer.status === 401) throw new NoToken('the aggregator does not know this browser any more')
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string }
  throw new Error(problem.detail ?? `the aggregator answered ${answer.status}`)
}
