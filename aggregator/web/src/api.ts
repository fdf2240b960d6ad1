/** What the page asks of the aggregator. The browser adds the cookie that holds the token. */
import type { Language } from '../../../common/languages.ts'
import type { IncidentView, SilenceView } from '../../alerting/views.ts'
import type { InspectionAnswer, InspectionSummary } from '../../inspection/model.ts'
import type { MatrixRow, StoredEvent } from '../../model.ts'
import type { Caller, DecisionRequest, PauseScope, RefusalView, Release } from '../../remediation-model.ts'
import type { SettingsDetail } from '../../settings-model.ts'
import { Failure } from './failure.ts'
import { FAILURE_TEXTS } from './texts/failures.ts'

/** The aggregator does not know this browser (any more). */
export class NoToken extends Failure {
  override name = 'NoToken'
}

/** Oldest first. */
export interface EventsPage {
  readonly items: readonly StoredEvent[]
  /** Cursor of the page before it; null when there is none. */
  readonly next: string | null
  /** Where the stream goes on from here. */
  readonly newest: string | null
}

/** The newest `limit` events, or those before `cursor`. Throws NoToken, or Error with a text for people. */
export async function fetchEvents(limit: number, cursor?: string): Promise<EventsPage> {
  const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`
  return (await (await request(`/api/v1/events?limit=${limit}${query}`)).json()) as EventsPage
}

/** Whose token this browser has. Throws NoToken, or Error with a text for people. */
export async function fetchMe(): Promise<Caller> {
  return (await (await request('/api/v1/me')).json()) as Caller
}

/** Who sees this node. Throws NoToken, or Error with a text for people. */
export async function fetchMatrixRow(node: string): Promise<MatrixRow> {
  const answer = await request(`/api/v1/mesh/matrix?node=${encodeURIComponent(node)}`)
  const [row] = ((await answer.json()) as { items: MatrixRow[] }).items
  if (row === undefined) throw new Failure(FAILURE_TEXTS.nothingOf, { node })
  return row
}

/** What one guard says, as the leader asks them all. */
export type GuardVerdict = RefusalView['guards'][number]

/** What the leader said when it was asked for a permit, with what every guard said. */
export interface PermitAnswer {
  readonly kind: 'permit' | 'permit-refused'
  readonly at: string
  readonly verdicts: readonly GuardVerdict[]
}

/** Of one node; its latest answer is among them. */
const ANSWERS_READ = 200

/** The last answer about this plan; undefined when there was none. Throws NoToken, or Error with a text for people. */
export async function fetchAnswer(node: string, planId: string): Promise<PermitAnswer | undefined> {
  const query = `node=${encodeURIComponent(node)}&kind=permit,permit-refused&limit=${ANSWERS_READ}`
  const answer = await request(`/api/v1/events?${query}`)
  const { items } = (await answer.json()) as { items: (PermitAnswer & Pick<StoredEvent, 'data'>)[] }
  const found = items.findLast(
    ({ data }) => (data.request as Pick<RefusalView, 'planId'> | undefined)?.planId === planId,
  )
  if (found === undefined) return undefined
  return { kind: found.kind, at: found.at, verdicts: found.data.verdicts as readonly GuardVerdict[] }
}

export type PolicyInForce = NonNullable<SettingsDetail['document']['policies']>[number]

/** In their order. Throws NoToken, or Error with a text for people. */
export async function fetchPolicies(): Promise<readonly PolicyInForce[]> {
  const answer = await request('/api/v1/settings')
  return ((await answer.json()) as SettingsDetail).document.policies ?? []
}

/** Throws NoToken, or Error with the aggregator's reason. */
export async function postDecision(planId: string, action: DecisionRequest['action'], reason: string): Promise<void> {
  await post(`/api/v1/remediations/${encodeURIComponent(planId)}/decision`, { action, reason, via: 'page' })
}

/** Ends a freeze. Throws NoToken, or Error with the aggregator's reason. */
export async function postRelease(reason: string): Promise<void> {
  await post('/api/v1/mesh/release', { reason, via: 'page' } satisfies Release)
}

/** Ends the pause of just this scope. Throws NoToken, or Error with the aggregator's reason. */
export async function postResume(scope: PauseScope, reason: string): Promise<void> {
  await post('/api/v1/remediations/resume', { scope, reason, via: 'page' })
}

const INSPECTIONS_READ = 30

/** The newest first. Throws NoToken, or Error with a text for people. */
export async function fetchInspections(): Promise<readonly InspectionSummary[]> {
  const answer = await request(`/api/v1/inspections?limit=${INSPECTIONS_READ}`)
  return ((await answer.json()) as { items: InspectionSummary[] }).items
}

/** Throws NoToken, or Error with a text for people, also when it failed. */
export async function fetchInspection(id: string): Promise<InspectionAnswer> {
  return (await (await request(`/api/v1/inspections/${encodeURIComponent(id)}`)).json()) as InspectionAnswer
}

/** Has every node look anew; gives the id by which to see how it goes. Throws NoToken, or Error with the aggregator's reason. */
export async function postInspection(): Promise<string> {
  return ((await (await post('/api/v1/inspections', { fresh: true })).json()) as { id: string }).id
}

export interface Alerts {
  /** Oldest first. */
  readonly incidents: readonly IncidentView[]
  /** Those in force; none are asked for where none is needed. */
  readonly silences: readonly SilenceView[]
}

/** What happened is told in that language. Throws NoToken, or Error with a text for people. */
export async function fetchAlerts(language: Language): Promise<Alerts> {
  const { items: incidents } = (await (await request(`/api/v1/alerts?language=${language}`)).json()) as {
    items: IncidentView[]
  }
  if (incidents.every(({ silencedBy }) => silencedBy.length === 0)) return { incidents, silences: [] }
  const { items: silences } = (await (await request('/api/v1/silences')).json()) as { items: SilenceView[] }
  return { incidents, silences }
}

async function post(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return await request(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function request(path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(path, init)
  if (answer.ok) return answer
  if (answer.status === 401) throw new NoToken(FAILURE_TEXTS.noToken)
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string }
  throw problem.detail === undefined
    ? new Failure(FAILURE_TEXTS.status, { status: answer.status })
    : new Error(problem.detail)
}
