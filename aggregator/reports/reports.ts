/**
 * Sends reports when they are due. Only the leader does; what was due while nobody led is sent once, late. That it is being sent
 * is on record before it is, under an id of report and time: whoever leads next finds it there and does not send it again.
 */
import { randomUUID } from 'node:crypto'
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { Language } from '../../common/languages.ts'
import type { Log } from '../../common/log.ts'
import type { Deltas } from '../../inspection/deltas.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import type { InspectionOrder } from '../inspection/inspections.ts'
import type { Event, Journal } from '../model.ts'
import { aboutRole, type Composed, composed, type Source } from './composed.ts'
import { type ReportConfig, targetName } from './config.ts'
import type { Deliveries } from './deliveries.ts'
import { inspectionReport } from './inspection-report.ts'
import type { ReportView } from './model.ts'
import type { Review } from './review.ts'
import { reviewReport } from './review-report.ts'
import { lastDue, nextDue } from './schedule.ts'

/** Later than this nobody wants the morning's report any more. */
const LATE_MS = 6 * 3_600_000
const LOOKED_EVERY_MS = 20_000
/** What a review looks back over. */
const REVIEWED_MS = 7 * 86_400_000
/** Since when this aggregator knows a report with its schedule: what was due before that is none of its. */
const SINCE_FACT = 'report-since/'

export interface Inspected {
  readonly run: InspectionRun
  /** Against the one before it. */
  readonly deltas: Deltas | undefined
}

export interface ReportsInit {
  readonly reports: readonly ReportConfig[]
  /** Where people open the page; undefined when nobody said it. */
  readonly page: string | undefined
  readonly mesh: string
  readonly leads: () => boolean
  /** Rejects with StarlingError when it cannot be taken now, or there is no such profile or role. */
  readonly inspect: (order: InspectionOrder) => Promise<Inspected>
  /** RFC 3339, UTC. */
  readonly review: (since: string, until: string) => Promise<Review>
  readonly journal: Pick<Journal, 'byId' | 'readFact' | 'writeFact'>
  /** Whether another aggregator has put this event on record. */
  readonly isKnown: (id: string) => Promise<boolean>
  readonly record: (event: Omit<Event, 'at'>) => void
  readonly deliveries: Pick<Deliveries, 'add' | 'waitingOf'>
  readonly log: Log
  /** Ms since 1970. */
  readonly now: () => number
}

interface Made {
  readonly about: string
  readonly compose: (language: Language, zone: string) => readonly (Composed & { readonly source: Source })[]
}

export class Reports {
  readonly #init: ReportsInit
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined

  constructor(init: ReportsInit) {
    this.#init = init
    for (const { name, schedule } of init.reports) {
      const fact = `${SINCE_FACT}${name}`
      const known = JSON.stringify(schedule)
      const before = JSON.parse(init.journal.readFact(fact) ?? 'null') as { schedule: string } | null
      if (before?.schedule === known) continue
      init.journal.writeFact(fact, JSON.stringify({ schedule: known, since: init.now() }))
    }
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => {
        this.#looking = undefined
      })
    }, LOOKED_EVERY_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
  }

  /** Sends what is due and has not been sent. */
  async look(): Promise<void> {
    for (const report of this.#init.reports) {
      if (!this.#init.leads()) return
      const due = lastDue(report.schedule, this.#init.now(), LATE_MS)
      if (due === undefined || due < this.#knownSince(report)) continue
      const at = new Date(due).toISOString()
      const id = `report/${report.name}@${at}`
      try {
        if (!(await this.#isSent(id))) await this.#send(report, id, at, '')
      } catch (error) {
        this.#init.log.error(
          { report: report.name, due: at, err: messageOf(error) },
          'report not made: tried again soon',
        )
      }
    }
  }

  list(): readonly ReportView[] {
    const { deliveries, now } = this.#init
    return this.#init.reports.map((report) => {
      const { name, kind, schedule, to } = report
      const next = nextDue(schedule, now())
      return {
        name,
        kind,
        schedule,
        roles: rolesOf(report),
        next: next === undefined ? null : new Date(next).toISOString(),
        to: to.map(targetName),
        waiting: deliveries.waitingOf(name),
      }
    })
  }

  /** As it would be sent now. Rejects with StarlingError for a name that none has, and when it cannot be made now. */
  async preview(name: string, language: Language, zone: string): Promise<readonly Composed[]> {
    const { compose } = await this.#make(this.#named(name), this.#init.now(), false)
    return compose(language, zone).map(({ source: _, ...rest }) => rest)
  }

  /** Sends it now, whether it is due or not: the event that this became. Rejects as `preview` does. */
  async send(name: string, by: string): Promise<Event> {
    const report = this.#named(name)
    const due = new Date(this.#init.now()).toISOString()
    const id = `report/${name}@${due}/${randomUUID()}`
    await this.#send(report, id, due, by)
    const event = this.#init.journal.byId(id)
    if (event === null) throw new StarlingError('another aggregator leads by now, and nothing was sent')
    return event
  }

  #named(name: string): ReportConfig {
    const report = this.#init.reports.find((one) => one.name === name)
    if (report !== undefined) return report
    const names = this.#init.reports.map((one) => one.name).join(', ')
    throw new StarlingError(`there is no report "${name}"`, {
      remedy: names === '' ? 'none is configured: see docs/reports.md' : `there are: ${names}`,
    })
  }

  #knownSince({ name }: ReportConfig): number {
    const kept = this.#init.journal.readFact(`${SINCE_FACT}${name}`)
    return kept === null ? 0 : (JSON.parse(kept) as { since: number }).since
  }

  /** A history that cannot be asked holds nothing up: this journal has what its own leadership sent. */
  async #isSent(id: string): Promise<boolean> {
    if (this.#init.journal.byId(id) !== null) return true
    return await this.#init.isKnown(id).catch(() => false)
  }

  async #send(report: ReportConfig, id: string, due: string, by: string): Promise<void> {
    const { about, compose } = await this.#make(report, Date.parse(due), report.fresh)
    const { leads, record, deliveries } = this.#init
    // Whoever leads by now does it.
    if (!leads()) return
    const parts = report.to.map((to) => ({ to, all: compose(to.language, to.zone) }))
    const places = report.to.map(targetName)
    const subjects = [...new Set(parts.flatMap(({ all }) => all.map(({ subject }) => subject)))]
    const asked = by === '' ? '' : `, asked for by ${by}`
    record({
      id,
      kind: 'report',
      node: '',
      tone: 'info',
      summary: `${report.name} (${report.kind}) goes to ${places.join(', ')}${asked}`,
      causedBy: about,
      data: { report: report.name, kind: report.kind, due, by, to: places, subjects },
    })
    for (const [place, { to, all }] of parts.entries()) {
      for (const { source, ...part } of all) {
        const delivery = { ...part, id: `${id}#${place}${part.role}`, report: report.name, kind: report.kind, due, to }
        deliveries.add('webhook' in to ? { ...delivery, source } : delivery)
      }
    }
  }

  async #make(report: ReportConfig, ms: number, fresh: boolean): Promise<Made> {
    const { leads, inspect, review, mesh, page } = this.#init
    if (!leads()) throw new StarlingError('this aggregator does not lead: only the leader makes reports')
    if (report.kind === 'inspection') {
      const roles = rolesOf(report)
      const { run, deltas } = await inspect({ profile: report.profile, roles, fresh })
      return {
        about: `inspection/${run.id}`,
        compose: (language, zone) =>
          roles.map((role) => {
            const layout = inspectionReport({ run, deltas, role, language, zone, page })
            return { ...composed(role, layout), source: { inspection: aboutRole(run, role) } }
          }),
      }
    }
    const until = new Date(ms).toISOString()
    const looked = await review(new Date(ms - REVIEWED_MS).toISOString(), until)
    return {
      about: '',
      compose: (language, zone) => [
        { ...composed('', reviewReport({ mesh, review: looked, language, zone, page })), source: { review: looked } },
      ],
    }
  }
}

function rolesOf({ kind, roles }: ReportConfig): readonly string[] {
  return kind === 'inspection' ? roles : []
}
