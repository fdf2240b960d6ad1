/** The API as functions. What goes wrong comes out as StarlingError, saying which address and what to do. */
import type { DeadLetterView, IncidentView, SilenceView } from '../aggregator/alerting/views.ts'
import type { ChainedRow } from '../aggregator/audit/chain.ts'
import type { SignedHead } from '../aggregator/audit/head.ts'
import type { Trail, TrailFrame } from '../aggregator/audit/trail.ts'
import type { InspectionAnswer, InspectionOrderBody, InspectionSummary } from '../aggregator/inspection/model.ts'
import type { LatestMeasures } from '../aggregator/measures/routes.ts'
import type {
  Event,
  EventKind,
  Explanation,
  MatrixRow,
  Snapshot,
  StoredEvent,
  WouldBeMark,
} from '../aggregator/model.ts'
import type { RemediationReport } from '../aggregator/outcomes/model.ts'
import type { DecisionRequest, PauseScope, Release, ReleaseScope } from '../aggregator/remediation-model.ts'
import type { ReportPreview, ReportView } from '../aggregator/reports/model.ts'
import type { Proposal, Rollback, SettingsDetail } from '../aggregator/settings-model.ts'
import type { Duration } from '../common/duration.ts'
import { ExitCode, messageOf, StarlingError } from '../common/errors.ts'
import type { Language } from '../common/languages.ts'
import type { UsageAnswer, UsageQuery } from '../detectors/usage/notes.ts'
import type { HourOfMeasures } from '../inspection/measures.ts'
import type { AlertMatch } from '../settings/alerting.ts'
import type { Connection } from './connection.ts'
import { type EventsPage, followEvents } from './follow.ts'

const REQUEST_TIMEOUT_MS = 15_000
/** The aggregator itself waits 60 s for the node's answer. */
const RECORDING_TIMEOUT_MS = 70_000
/** The aggregator itself waits 70 s for a sink. */
const SINK_TIMEOUT_MS = 80_000

export interface EventFilter {
  readonly node?: string | undefined
  readonly kinds?: readonly EventKind[] | undefined
  readonly limit: number
}

export interface ApiClient {
  state(): Promise<Snapshot>
  /** The newest that match, oldest first. */
  events(filter: EventFilter): Promise<readonly StoredEvent[]>
  explain(node: string): Promise<Explanation>
  /** Who sees these nodes; all of them when none is named. */
  matrix(nodes: readonly string[]): Promise<readonly MatrixRow[]>
  /** Each verdict since that time (RFC 3339), with what marking made of it or would have. */
  markingPlan(since: string): Promise<readonly WouldBeMark[]>
  /** What remediation did and would have done since that time (RFC 3339). */
  remediationPlan(since: string): Promise<RemediationReport>
  /** Of the history, to be checked here. */
  readonly trail: Trail
  /** What a node used, by the node's own word. */
  usage(node: string, query: UsageQuery): Promise<UsageAnswer>
  /** Averages of a node over each hour since that time (RFC 3339), oldest first. */
  measures(node: string, from: string): Promise<readonly HourOfMeasures[]>
  /** Its averages over the last five minutes; undefined when it said nothing in them. */
  latestMeasures(node: string): Promise<LatestMeasures | undefined>
  /** What a detector reads on a node, packed and in base64 (detectors/recording/pack.ts). Takes up to a minute. */
  recording(node: string, detector: string): Promise<string>
  /** Ends a freeze: the event that this decision became. */
  release(release: Release): Promise<Event>
  /** Lets through what the roster's brakes hold: the event that this decision became. */
  releaseRoster(release: Release): Promise<Event>
  /** The event that the decision became. */
  decide(decision: DecisionRequest): Promise<Event>
  /** Nothing is begun there until the time is over: the event that this decision became. `length`: as `2h`. */
  pause(scope: PauseScope, length: Duration, release: Release): Promise<Event>
  /** Ends the pause of just this scope. */
  resume(scope: PauseScope, release: Release): Promise<Event>
  /** Failures until now hold nothing back there any more. */
  releaseRemediation(scope: ReleaseScope, release: Release): Promise<Event>
  /** What is wrong now, as people are told of it. */
  alerts(language: Language): Promise<readonly IncidentView[]>
  silences(): Promise<readonly SilenceView[]>
  /** Nobody is told of what fits until the time is over: the event that this became. `length`: as `2h`. */
  silence(match: AlertMatch, length: Duration, reason: string): Promise<Event>
  endSilence(id: string, reason: string): Promise<Event>
  /** Has a sink told that this is a test. Rejects with what the sink says. */
  testSink(sink: string, reader: { readonly language: Language; readonly zone: string }): Promise<void>
  /** What could not be delivered. */
  deadLetters(): Promise<readonly DeadLetterView[]>
  sendAgain(ids: readonly string[] | 'all'): Promise<readonly DeadLetterView[]>
  settings(): Promise<SettingsDetail>
  /** Hands settings in: the event that this became. */
  propose(proposal: Proposal): Promise<Event>
  /** Goes back to the content of an earlier version: the event that this became. */
  rollBack(rollback: Rollback): Promise<Event>
  /** Lets the findings of a detector count again whose version is held. */
  releaseDetector(name: string, release: Release): Promise<Event>
  /** Takes an inspection, or begins a fresh one. */
  inspect(order: InspectionOrderBody): Promise<InspectionAnswer>
  inspection(id: string): Promise<InspectionAnswer>
  /** The newest first. */
  inspections(query: {
    readonly limit: string
    readonly profile?: string | undefined
  }): Promise<readonly InspectionSummary[]>
  reports(): Promise<readonly ReportView[]>
  /** A report as it would be sent now. */
  previewReport(name: string, reader: { readonly language: Language; readonly zone: string }): Promise<ReportPreview>
  /** Sends it now: the event that this became. */
  sendReport(name: string): Promise<Event>
  /** As `events`, and where the stream goes on from there. */
  eventsPage(filter: EventFilter): Promise<EventsPage>
  /** Events after that page and those to come, without end; resumes by itself and tells `note` when it has to. */
  follow(from: EventsPage, note: (text: string) => void): AsyncGenerator<StoredEvent, never>
}

export function createClient({ url, token }: Connection): ApiClient {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, ...init.headers }
    let answer: Response
    try {
      answer = await fetch(`${url}${path}`, { redirect: 'error', ...init, headers })
    } catch (error) {
      throw new StarlingError(`cannot reach the aggregator at ${url}: ${networkReason(error)}`, {
        remedy: 'is it running (`npm start`)? Another address is given by --url or STARLING_URL',
        cause: error,
      })
    }
    if (answer.ok) return answer
    throw await refusal(answer, url)
  }

  async function json<T>(path: string, isExpected: (body: unknown) => boolean, init: RequestInit = {}): Promise<T> {
    const answer = await request(path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...init })
    const body: unknown = await answer.json().catch(() => undefined)
    if (isExpected(body)) return body as T
    throw new StarlingError(`what answers at ${url} is not a Starling aggregator`, { remedy: 'check --url' })
  }

  async function items<T>(path: string): Promise<readonly T[]> {
    return (await json<{ items: T[] }>(path, hasList('items'))).items
  }

  /** Posts a person's decision; answered is the event that it became. */
  async function decided(path: string, body: object): Promise<Event> {
    const isExpected = (answer: unknown) => isRecord(answer) && isRecord(answer.event)
    const { event } = await json<{ event: Event }>(path, isExpected, posted(body))
    return event
  }

  async function eventsPage({ node, kinds, limit }: EventFilter): Promise<EventsPage> {
    const query = new URLSearchParams({ limit: String(limit) })
    if (node !== undefined) query.set('node', node)
    if (kinds !== undefined) query.set('kind', kinds.join(','))
    return await json<EventsPage>(`/api/v1/events?${query}`, hasList('items'))
  }

  return {
    state: () => json<Snapshot>('/api/v1/state', hasList('members')),

    events: async (filter) => (await eventsPage(filter)).items,

    eventsPage,

    explain: (node) => json<Explanation>(`/api/v1/explain/${encodeURIComponent(node)}`, hasList('chains')),

    async matrix(nodes) {
      const query = nodes.length === 0 ? '' : `?${new URLSearchParams({ node: nodes.join(',') })}`
      return await items<MatrixRow>(`/api/v1/mesh/matrix${query}`)
    },

    async markingPlan(since) {
      return await items<WouldBeMark>(`/api/v1/marking/plan?${new URLSearchParams({ since })}`)
    },

    remediationPlan: (since) =>
      json<RemediationReport>(`/api/v1/remediations/plan?${new URLSearchParams({ since })}`, hasList('rules')),

    trail: {
      frame: () => json<TrailFrame>('/api/v1/audit', (body) => isRecord(body) && typeof body.first === 'number'),
      rows: (after) => items<ChainedRow>(`/api/v1/audit/events?after=${after}`),
      signed: (after) => items<SignedHead>(`/api/v1/audit/heads?after=${after}`),
    },

    usage: (node, { subject, minutes }) => {
      const query = new URLSearchParams({ subject, minutes: String(minutes) })
      return json<UsageAnswer>(`/api/v1/usage/${encodeURIComponent(node)}?${query}`, hasList('subjects'))
    },

    measures: (node, from) => items<HourOfMeasures>(`/api/v1/measures?${new URLSearchParams({ node, from })}`),

    async latestMeasures(node) {
      return (await items<LatestMeasures>(`/api/v1/measures/latest?${new URLSearchParams({ node })}`))[0]
    },

    async recording(node, detector) {
      const isExpected = (answer: unknown) => isRecord(answer) && typeof answer.packed === 'string'
      const { packed } = await json<{ packed: string }>(`/api/v1/recordings/${encodeURIComponent(node)}`, isExpected, {
        ...posted({ detector }),
        signal: AbortSignal.timeout(RECORDING_TIMEOUT_MS),
      })
      return packed
    },

    release: (body) => decided('/api/v1/mesh/release', body),

    releaseRoster: (body) => decided('/api/v1/roster/release', body),

    decide: ({ planId, ...body }) => decided(`/api/v1/remediations/${encodeURIComponent(planId)}/decision`, body),

    pause: (scope, length, release) => decided('/api/v1/remediations/pauses', { scope, for: length, ...release }),

    resume: (scope, release) => decided('/api/v1/remediations/resume', { scope, ...release }),

    releaseRemediation: (scope, release) => decided('/api/v1/remediations/release', { scope, ...release }),

    alerts: (language) => items<IncidentView>(`/api/v1/alerts?${new URLSearchParams({ language })}`),

    silences: () => items<SilenceView>('/api/v1/silences'),

    silence: (match, length, reason) => decided('/api/v1/silences', { match, for: length, reason }),

    endSilence: (id, reason) => decided(`/api/v1/silences/${encodeURIComponent(id)}/expire`, { reason }),

    async testSink(sink, reader) {
      const isExpected = (answer: unknown) => isRecord(answer) && answer.delivered === true
      const signal = AbortSignal.timeout(SINK_TIMEOUT_MS)
      await json('/api/v1/notify/test', isExpected, { ...posted({ sink, ...reader }), signal })
    },

    deadLetters: () => items<DeadLetterView>('/api/v1/notify/dead'),

    async sendAgain(ids) {
      const answer = await json<{ items: DeadLetterView[] }>(
        '/api/v1/notify/dead/again',
        hasList('items'),
        posted({ ids }),
      )
      return answer.items
    },

    settings: () => json<SettingsDetail>('/api/v1/settings', hasList('versions')),

    propose: (body) => decided('/api/v1/settings', body),

    rollBack: (body) => decided('/api/v1/settings/rollback', body),

    releaseDetector: (name, body) => decided(`/api/v1/detectors/${encodeURIComponent(name)}/release`, body),

    inspect: (order) => json<InspectionAnswer>('/api/v1/inspections', isInspection, posted(order)),

    inspection: (id) => json<InspectionAnswer>(`/api/v1/inspections/${encodeURIComponent(id)}`, isInspection),

    async inspections({ limit, profile }) {
      const query = new URLSearchParams({ limit, ...(profile !== undefined && { profile }) })
      return await items<InspectionSummary>(`/api/v1/inspections?${query}`)
    },
    reports: () => items<ReportView>('/api/v1/reports'),

    previewReport: (name, reader) =>
      json<ReportPreview>(`/api/v1/reports/${encodeURIComponent(name)}/preview`, hasList('items'), posted(reader)),

    sendReport: (name) => decided(`/api/v1/reports/${encodeURIComponent(name)}/send`, {}),

    follow: (from, note) =>
      followEvents({
        from,
        note,
        open: (query, signal) => request(`/api/v1/stream${query}`, { signal }),
        page: (limit) => eventsPage({ limit }),
        isFinal: (error) => error instanceof RefusedError,
      }),
  }
}

function posted(body: object): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** The aggregator answered, and the answer was no. */
class RefusedError extends StarlingError {
  override name = 'RefusedError'
}

async function refusal(answer: Response, url: string): Promise<StarlingError> {
  if (answer.status === 401) {
    return new RefusedError(`the aggregator at ${url} does not accept the token`, {
      remedy:
        'give yours, or its own, by --token or STARLING_TOKEN; `starling up` prints its own in the link to its page',
    })
  }
  const problem: unknown = await answer.json().catch(() => undefined)
  if (!isRecord(problem) || typeof problem.detail !== 'string') {
    return new StarlingError(`what answers at ${url} is not a Starling aggregator (HTTP ${answer.status})`, {
      remedy: 'check --url',
    })
  }
  const options = {
    ...(typeof problem.remedy === 'string' ? { remedy: problem.remedy } : {}),
    // It names what was asked wrongly.
    ...(Array.isArray(problem.errors) ? { exitCode: ExitCode.usage } : {}),
  }
  return answer.status < 500 ? new RefusedError(problem.detail, options) : new StarlingError(problem.detail, options)
}

/** fetch says just "fetch failed"; the reason is further down, in its cause. */
function networkReason(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'no answer in time'
  const cause = error instanceof Error ? error.cause : undefined
  if (isRecord(cause) && cause.code === 'ECONNREFUSED') return 'connection refused'
  return messageOf(cause ?? error)
}

function isInspection(body: unknown): boolean {
  return isRecord(body) && (body.kind === 'running' ? isRecord(body.progress) : isRecord(body.run))
}

function hasList(field: string): (body: unknown) => boolean {
  return (body) => isRecord(body) && Array.isArray(body[field])
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
