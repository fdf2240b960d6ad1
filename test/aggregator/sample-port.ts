/**
 * An aggregator without a mesh behind it, for tests of what stands in front: five nodes in three zones, of which node-4
 * is down with its votes and node-2 has a plan that waits for a person. What is decided or emitted changes it for real.
 */
import type {
  AggregatorPort,
  Event,
  EventQuery,
  Explanation,
  MemberView,
  OfficeView,
  Snapshot,
  StoredEvent,
} from '../../aggregator/model.ts'
import type { DecisionRequest, Release } from '../../aggregator/remediation-model.ts'
import { StarlingError } from '../../common/errors.ts'
import { sampleEvents } from './sample-events.ts'
import { samplePermits } from './sample-permits.ts'
import { sampleSettings } from './sample-settings.ts'
import { PLAN_ID, sampleMatrix, sampleSnapshot } from './sample-snapshot.ts'

export { PLAN_ID, VERDICT_ID } from './sample-snapshot.ts'

export interface SamplePort extends AggregatorPort {
  readonly decisions: readonly (DecisionRequest & { readonly by: string })[]
  readonly releases: readonly (Release & { readonly by: string })[]
  /** Appends to the history and tells subscribers. */
  emit(event: Event): StoredEvent
  /** Replaces parts of the snapshot and tells subscribers. */
  change(parts: Partial<Snapshot>): void
  changeMember(node: string, parts: Partial<MemberView>): void
  /** From now on it plays this part; leads again, when none is given. */
  becomes(office?: Partial<OfficeView>): void
  readonly subscribers: number
}

/** `at`: when the incident of the sample began, ms since the epoch. */
export function createSamplePort(at: number = Date.parse('2026-03-14T09:26:53.589Z')): SamplePort {
  const time = (offsetSeconds: number) => new Date(at + offsetSeconds * 1000).toISOString()
  const history: StoredEvent[] = sampleEvents(time).map((event, index) => ({ ...event, seq: index + 1 }))
  const listeners = new Set<(event: StoredEvent | null) => void>()
  const decisions: (DecisionRequest & { by: string })[] = []
  const releases: (Release & { by: string })[] = []
  let snapshot = sampleSnapshot(time)
  let office: OfficeView | undefined

  function tell(event: StoredEvent | null): void {
    for (const listener of listeners) listener(event)
  }

  function change(parts: Partial<Snapshot>): void {
    snapshot = { ...snapshot, ...parts }
    tell(null)
  }

  function emit(event: Event): StoredEvent {
    const stored = { ...event, seq: history.length + 1 }
    history.push(stored)
    tell(stored)
    return stored
  }

  return {
    decisions,
    releases,
    emit,
    change,
    changeMember(node, parts) {
      change({ members: snapshot.members.map((member) => (member.node === node ? { ...member, ...parts } : member)) })
    },
    get subscribers() {
      return listeners.size
    },

    becomes(parts) {
      office = parts === undefined ? undefined : { ...snapshot.office, ...parts }
      tell(null)
    },

    office: () => office ?? snapshot.office,

    present: () => (office === undefined ? snapshot : undefined),

    snapshot() {
      if (office === undefined) return snapshot
      throw new StarlingError(`${office.node} stands by`, { remedy: `ask ${office.leader}, which leads` })
    },

    events(query: EventQuery) {
      return history
        .filter(
          ({ seq, node, kind }) =>
            seq > (query.after ?? 0) &&
            seq < (query.before ?? Number.POSITIVE_INFINITY) &&
            (query.node === undefined || query.node === node) &&
            (query.kinds === undefined || query.kinds.includes(kind)),
        )
        .slice(-query.limit)
    },

    explain(node): Explanation | null {
      const member = snapshot.members.find((known) => known.node === node)
      if (member === undefined) return null
      const events = history.filter((event) => event.node === node && event.kind !== 'joined')
      const heads = events.filter((event) => !events.some(({ id }) => id === event.causedBy))
      return { member, chains: heads.map((head) => ({ title: head.summary, events: chainFrom(head, events) })) }
    },

    markingPlan: (since) => {
      const votes = { silent: 6, alive: 0, abstained: 0, needed: 4 }
      const stock = { at: time(90), afterMs: 40_000 }
      const ended = { endedAt: time(110), lengthMs: 60_000 }
      const mark = { node: 'node-2', verdictId: 'v-1', kind: 'NodeDown', at: time(50), votes, ...ended, stock }
      return mark.at >= since ? [{ ...mark, effect: 'would-mark', why: 'mode observe' }] : []
    },

    matrix: () => sampleMatrix(snapshot),

    release(release, by) {
      if (snapshot.mesh.frozen === null) throw new StarlingError('nothing is frozen: there is no freeze to end')
      releases.push({ ...release, by })
      change({ mesh: { ...snapshot.mesh, frozen: null } })
      return emit({
        id: `release:${releases.length}`,
        at: time(130),
        kind: 'decision',
        node: '',
        tone: 'act',
        summary: `freeze ended by ${by} (${release.via}): ${release.reason}`,
        causedBy: '',
        data: {},
      })
    },

    releaseRoster(release, by) {
      const held = snapshot.roster?.held ?? []
      if (snapshot.roster === null || held.length === 0) throw new StarlingError('no change of the roster waits')
      releases.push({ ...release, by })
      change({ roster: { ...snapshot.roster, held: [] } })
      return emit({
        id: `roster-release:${releases.length}`,
        at: time(140),
        kind: 'decision',
        node: '',
        tone: 'act',
        summary: `let through by ${by} (${release.via}): ${held.flatMap(({ nodes }) => nodes).join(', ')}`,
        causedBy: '',
        data: {},
      })
    },

    decide(decision, by) {
      const remediation = snapshot.remediations.find(({ plan }) => plan.id === decision.planId)
      if (remediation?.phase !== 'awaiting-approval') {
        throw new StarlingError(`plan ${decision.planId} no longer waits for a decision`)
      }
      decisions.push({ ...decision, by })
      const approved = decision.action === 'approve'
      change({
        remediations: snapshot.remediations.map((each) =>
          each === remediation
            ? { ...each, phase: approved ? 'applying' : 'rejected', why: `${decision.action} by ${by}`, at: time(120) }
            : each,
        ),
      })
      return emit({
        id: `decision:${decision.planId}`,
        at: time(120),
        kind: 'decision',
        node: remediation.plan.node,
        tone: approved ? 'good' : 'info',
        summary: `${by} said ${decision.action} to ${remediation.plan.remediator}`,
        causedBy: `plan:${PLAN_ID}`,
        data: { reason: decision.reason },
      })
    },

    settings: sampleSettings(
      () => snapshot.settings,
      (settings) => change({ settings }),
      (summary) =>
        emit({ id: summary, at: time(150), kind: 'settings', node: '', tone: 'act', summary, causedBy: '', data: {} }),
    ),

    permits: samplePermits(
      () => snapshot.permits,
      (permits) => change({ permits }),
      (summary) =>
        emit({ id: summary, at: time(160), kind: 'decision', node: '', tone: 'act', summary, causedBy: '', data: {} }),
    ),

    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

function chainFrom(head: StoredEvent, events: readonly StoredEvent[]): StoredEvent[] {
  return [head, ...events.filter(({ causedBy }) => causedBy === head.id).flatMap((next) => chainFrom(next, events))]
}
