/**
 * Looks, every few seconds while this aggregator leads, at what is wrong, makes incidents of it, puts them on record and has
 * people told. Who stands by tells nobody; who takes over goes on from the record.
 */
import { randomUUID } from 'node:crypto'
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import { type Alerting, type AlertingSettings, readAlerting } from '../../settings/alerting.ts'
import type { MeasureSource } from '../measures/source.ts'
import type { Event, Journal, Snapshot, StoredEvent } from '../model.ts'
import type { Dispatch } from '../sinks/dispatch.ts'
import { causesOf } from './causes.ts'
import { NOTHING_FOUND } from './found.ts'
import { firing, type Holding, hold } from './holding.ts'
import { keptFor, lastWords, type OpenIncidents, type SayInput, step } from './incidents.ts'
import { type LookAtMeasures, lookAtMeasures } from './measured.ts'
import type { Cause, Look } from './model.ts'
import { type RecordedAlert, restore } from './restore.ts'
import { leadingSomewhere } from './routing.ts'
import { activeAt, type Silence, silencesOf } from './silence-model.ts'
import type { AlertStory } from './story.ts'
import { lookAt } from './symptoms.ts'

const LOOK_EVERY_MS = 2_000
/** Measures are averages over minutes: nothing is gained by asking more often. */
const MEASURES_EVERY_MS = 15_000
/** Nodes repeat within seconds what is wrong with them; until then who takes over holds nothing for well. */
const SETTLES_MS = 30_000
const NO_SUCH_SINK = 'the configuration of the aggregator has no such sink'
const EVENTS_READ = 1_000
const PAGES_READ = 5

export interface AlertDeskInit {
  readonly node: string
  readonly journal: Pick<Journal, 'query'>
  readonly story: AlertStory
  /** Throws StarlingError while this aggregator does not lead. */
  readonly snapshot: () => Snapshot
  readonly subscribe: (listener: (event: StoredEvent | null) => void) => () => void
  readonly settings: () => AlertingSettings | undefined
  readonly leads: () => boolean
  readonly measures: MeasureSource
  /** Wall time, ms. */
  readonly now: () => number
  readonly dispatch: Dispatch
  /** Of the page, for links; undefined when the configuration names none. */
  readonly link: string | undefined
  readonly log: Log
}

export class AlertDesk {
  readonly #init: AlertDeskInit
  #open: OpenIncidents = new Map()
  #holding: Holding = new Map()
  #silences: readonly Silence[] = []
  /** As they were read and made last, for as long as what they are made of is the same. */
  #alerting: { readonly of: AlertingSettings | undefined; readonly is: Alerting } | undefined
  #found = NOTHING_FOUND
  #causes: { readonly zones: string; readonly holding: Holding; readonly causes: readonly Cause[] } | undefined
  #measured: LookAtMeasures = { bad: [], neither: new Set(), unjudged: [] }
  #measuredAt = Number.NEGATIVE_INFINITY
  #singleCopy: string | null = null
  /** Since when it leads, as it was first seen; undefined while it stands by. */
  #ledSince: number | undefined
  /** Alerts of other aggregators that came to this one's record while it leads. */
  #late: RecordedAlert[] = []
  readonly #keptAt = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #unsubscribe = () => {}

  constructor(init: AlertDeskInit) {
    this.#init = init
    this.#readRecord()
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    this.#unsubscribe = this.#init.subscribe((event) => event && this.#heard(event))
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
    this.#init.dispatch.stop()
  }

  /** While this aggregator leads; empty otherwise. */
  get incidents(): OpenIncidents {
    return this.#open
  }

  silences(now: number): readonly Silence[] {
    return activeAt(this.#silences, now)
  }

  /** Durable when it returns. Throws StarlingError when it would last too long, or this aggregator does not lead. */
  silence(asked: Omit<Silence, 'id'>): Event {
    this.#init.snapshot()
    const { longestSilenceMs } = readAlerting(this.#init.settings())
    if (asked.until - asked.from > longestSilenceMs) {
      const days = longestSilenceMs / 86_400_000
      throw new StarlingError(`a silence may last ${days} days at most`, {
        remedy: 'alerting.silences.longest of the settings',
      })
    }
    const silence = { ...asked, id: randomUUID().slice(0, 8) }
    const event = this.#init.story.silenced(silence)
    this.#readSilences()
    this.look()
    return event
  }

  /** Undefined when there is none of this id. */
  endSilence(id: string, by: string, reason: string): Event | undefined {
    this.#init.snapshot()
    const silence = this.silences(this.#init.now()).find((one) => one.id === id)
    if (silence === undefined) return undefined
    const event = this.#init.story.unsilenced(silence, by, reason)
    this.#readSilences()
    this.look()
    return event
  }

  look(): void {
    this.#init.dispatch.keepAgain()
    try {
      if (this.#init.leads()) this.#look()
      else this.#standBy()
    } catch (error) {
      // The mesh starts, or the disk is full: whatever it is, the next look may do.
      this.#init.log.warn({ err: messageOf(error) }, 'alerts not looked after')
    }
  }

  #look(): void {
    const { snapshot: read, settings, story, dispatch, node, link } = this.#init
    const snapshot = read()
    const { mesh, members, findings } = snapshot
    const now = this.#init.now()
    if (this.#ledSince === undefined) this.#takeOver(now, mesh.id)
    if (this.#late.length > 0) this.#restore(this.#late.splice(0), now, mesh.id)
    const alerting = this.#alertingOf(settings())
    const { routes, nowhere } = leadingSomewhere(alerting.routes, dispatch.names)
    if (now - this.#measuredAt >= MEASURES_EVERY_MS) {
      this.#measured = lookAtMeasures(this.#init.measures, members, alerting)
      this.#measuredAt = now
    }
    const { unjudged } = this.#measured
    const undelivered = new Map([...dispatch.failing, ...nowhere.map((sink) => [sink, NO_SUCH_SINK] as const)])
    const present = { mesh, members, findings, singleCopy: this.#singleCopy, undelivered, unjudged }
    const look = lookAt(present, alerting, this.#found)
    this.#found = look.found
    const isSettled = now - (this.#ledSince ?? now) >= SETTLES_MS
    this.#holding = hold(this.#holding, together(look, this.#measured), now, isSettled)
    const causes = this.#causesIn(members.filter(({ state }) => state !== 'left'))
    const silences = this.silences(now)
    const said = { now, mesh: mesh.id, routes, link }
    const { open, outgoing, announced, over } = step(this.#open, { ...said, causes, silences, isSettled })
    // On record before anybody is told, so that who takes over knows whom to tell that it is over.
    for (const incident of announced) story.announced(incident, now, node)
    for (const incident of over) story.over(incident, node)
    this.#open = open
    for (const one of outgoing) dispatch.send(one)
    this.#keep(said)
  }

  #alertingOf(settings: AlertingSettings | undefined): Alerting {
    const known = this.#alerting
    if (known !== undefined && known.of === settings) return known.is
    const is = readAlerting(settings)
    this.#alerting = { of: settings, is }
    return is
  }

  /** They are the same while the same is held wrong, of the same zones. */
  #causesIn(living: Snapshot['members']): readonly Cause[] {
    const zones = living.map(({ zone }) => zone).join('/')
    const known = this.#causes
    if (known?.zones === zones && known.holding === this.#holding) return known.causes
    const causes = causesOf(firing(this.#holding), living)
    this.#causes = { zones, holding: this.#holding, causes }
    return causes
  }

  /** Says again what sinks forget, as long as it lasts. */
  #keep(input: SayInput): void {
    const { dispatch } = this.#init
    const { now } = input
    for (const [sink, everyMs] of dispatch.forgetful) {
      if (now - (this.#keptAt.get(sink) ?? 0) < everyMs) continue
      this.#keptAt.set(sink, now)
      for (const incident of this.#open.values()) {
        const told = incident.told[sink]
        if (told === undefined || incident.silencedBy.length > 0 || now - told.at < everyMs / 2) continue
        dispatch.send(keptFor(incident, sink, told, input))
      }
    }
  }

  #takeOver(now: number, mesh: string): void {
    this.#readRecord()
    this.#late = []
    this.#restore(this.#read(['alert', 'alert-over']).map(recorded), now, mesh)
    this.#ledSince = now
    const ids = new Set([...this.#open.values()].map(({ id }) => id))
    this.#init.dispatch.resume((id) => ids.has(id))
  }

  #restore(told: readonly RecordedAlert[], now: number, mesh: string): void {
    const { node, dispatch, story, link } = this.#init
    const { open, holding, over, doubles } = restore(told, now, node, this.#open)
    this.#open = open
    this.#holding = new Map([...holding, ...this.#holding])
    for (const incident of doubles) story.over(incident, node)
    for (const incident of [...over, ...doubles]) {
      for (const one of lastWords(incident, { now, mesh, routes: [], causes: [], link })) dispatch.send(one)
    }
  }

  #standBy(): void {
    if (this.#ledSince === undefined) return
    this.#ledSince = undefined
    this.#open = new Map()
    this.#holding = new Map()
    this.#init.dispatch.clear()
  }

  #readSilences(): void {
    this.#silences = silencesOf(this.#read(['silence']))
  }

  #readRecord(): void {
    this.#readSilences()
    const [copies] = this.#init.journal.query({ kinds: ['single-copy', 'copied'], limit: 1 })
    this.#singleCopy = copies?.kind === 'single-copy' ? copies.summary : null
  }

  #heard(event: StoredEvent): void {
    if (event.kind === 'single-copy') this.#singleCopy = event.summary
    if (event.kind === 'copied') this.#singleCopy = null
    if (event.kind === 'silence') this.#readSilences()
    const isAlert = event.kind === 'alert' || event.kind === 'alert-over'
    if (isAlert && event.data.by !== this.#init.node && this.#ledSince !== undefined) this.#late.push(recorded(event))
    // At once: it is what somebody may have to get up for.
    if (event.kind === 'verdict' || event.kind === 'frozen') setImmediate(() => this.look())
  }

  /** Oldest first. */
  #read(kinds: readonly Event['kind'][]): readonly StoredEvent[] {
    const { journal } = this.#init
    let all: readonly StoredEvent[] = []
    for (let page = 0; page < PAGES_READ; page++) {
      const before = all[0]?.seq
      const older = journal.query({ kinds, limit: EVENTS_READ, ...(before === undefined ? {} : { before }) })
      all = [...older, ...all]
      if (older.length < EVENTS_READ) break
    }
    return all
  }
}

function recorded({ kind, data, at }: StoredEvent): RecordedAlert {
  return { kind, data, at: Date.parse(at) }
}

function together(a: Look, b: Look): Look {
  return { bad: [...a.bad, ...b.bad], neither: new Set([...a.neither, ...b.neither]) }
}
