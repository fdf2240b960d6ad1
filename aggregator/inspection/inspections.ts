/**
 * Takes inspections, from the state at once or by asking every node, and keeps them. What is kept goes to the history; the
 * last few stay at hand, so that a history that cannot be reached keeps nobody from what was just found.
 */
import { randomUUID } from 'node:crypto'
import { counted } from '../../common/counted.ts'
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { Logger } from '../../common/pino-log.ts'
import { covers, type Deltas, deltasOf } from '../../inspection/deltas.ts'
import { inspect, type MatrixInput, totalOf } from '../../inspection/matrix.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import { profileNamed, requireKnown } from '../../inspection/profile.ts'
import { detectorsOf, type InspectionProfile, type Selection } from '../../inspection/profile-model.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import type { History, InspectionHead } from '../history/history.ts'
import type { Event, Snapshot } from '../model.ts'
import { countedFresh, countedFromState, offBySettings } from './fleet-now.ts'
import type { FreshRows } from './fresh-rows.ts'
import type { InspectionState } from './model.ts'

/** Of the last inspections that are over, in memory: each some MB at most. */
const AT_HAND = 10
/** How far back an inspection is looked for that this one can be held against. */
const LOOKED_BACK = 100
/** Each asks every node. */
const FRESH_AT_ONCE = 1

export interface InspectionOrder extends Selection {
  readonly profile: string
  readonly fresh: boolean
}

export type InspectionStore = Pick<History, 'keepInspection' | 'inspections' | 'inspection'>

export interface InspectionsInit {
  /** Throws StarlingError while this aggregator does not lead. */
  readonly snapshot: () => Pick<Snapshot, 'mesh' | 'members' | 'findings'>
  readonly settings: () => SettingsDocument
  /** Undefined until the mesh can be asked. */
  readonly fresh: () => FreshRows | undefined
  readonly store: InspectionStore
  readonly record: (event: Omit<Event, 'at'>) => void
  readonly log: Logger
}

export class Inspections {
  readonly #init: InspectionsInit
  /** By id, what changed last at the end. */
  readonly #atHand = new Map<string, InspectionState>()

  constructor(init: InspectionsInit) {
    this.#init = init
  }

  /** Takes one from the state and keeps it. Rejects with StarlingError for an order that cannot be carried out. */
  async take(order: Omit<InspectionOrder, 'fresh'>): Promise<InspectionRun> {
    const startedAt = new Date().toISOString()
    const { profile, snapshot } = this.#prepare(order)
    return await this.#finish(order, profile, snapshot, { id: randomUUID(), origin: 'state', startedAt })
  }

  /** Begins to ask every node. `state` tells how it goes. Throws StarlingError for an order that cannot be carried out. */
  begin(order: Omit<InspectionOrder, 'fresh'>): InspectionState {
    const fresh = this.#init.fresh()
    if (fresh === undefined) {
      throw new StarlingError('nodes cannot be asked anew by this aggregator', {
        remedy: 'take it from what they last reported: leave out `fresh`',
      })
    }
    const running = [...this.#atHand.values()].filter(({ kind }) => kind === 'running')
    if (running.length >= FRESH_AT_ONCE) {
      throw new StarlingError('every node is being asked already', { remedy: 'try again in a few seconds' })
    }
    const prepared = this.#prepare(order)
    const state: InspectionState = {
      kind: 'running',
      id: randomUUID(),
      progress: { answered: 0, of: prepared.snapshot.members.length },
    }
    this.#note(state.id, state)
    void this.#ask(fresh, order, prepared.profile, state.id).catch((error: unknown) => {
      this.#init.log.error({ inspection: state.id, err: messageOf(error) }, 'inspection failed')
      this.#note(state.id, { kind: 'failed', id: state.id, why: messageOf(error) })
    })
    return state
  }

  /** Null when there is no such inspection (any more). */
  async state(id: string): Promise<InspectionState | null> {
    const atHand = this.#atHand.get(id)
    if (atHand !== undefined) return atHand
    const run = await this.#init.store.inspection(id)
    return run && { kind: 'done', run }
  }

  /** The newest first. */
  async list(limit: number, profile?: string): Promise<readonly InspectionHead[]> {
    return await this.#init.store.inspections(limit, profile)
  }

  /** Against the newest one before it that counted all that it counts; undefined when there is none. */
  async deltas(run: InspectionRun): Promise<Deltas | undefined> {
    try {
      const heads = await this.#init.store.inspections(LOOKED_BACK, run.profile)
      const before = heads.find((head) => head.id !== run.id && head.startedAt < run.startedAt && covers(head, run))
      const earlier = before && (await this.#init.store.inspection(before.id))
      return earlier ? deltasOf(earlier, run) : undefined
    } catch (error) {
      this.#init.log.warn({ inspection: run.id, err: messageOf(error) }, 'nothing to hold an inspection against')
      return undefined
    }
  }

  #prepare(order: Omit<InspectionOrder, 'fresh'>) {
    const profile = profileNamed(order.profile, this.#init.settings().inspection)
    requireKnown(profile, order)
    return { profile, snapshot: this.#init.snapshot() }
  }

  async #ask(fresh: FreshRows, order: Selection, profile: InspectionProfile, id: string): Promise<void> {
    const startedAt = new Date().toISOString()
    const { members } = this.#init.snapshot()
    const detectors = detectorsAsked(profile, order)
    const answer = await fresh.rows({
      nodes: members.map(({ node }) => node),
      ...(detectors === undefined ? {} : { detectors }),
      onProgress: (progress) => this.#note(id, { kind: 'running', id, progress }),
    })
    // Who died while it was asked, died before it could answer.
    const snapshot = this.#init.snapshot()
    const counted = countedFresh(snapshot.members, answer)
    await this.#finish(order, profile, snapshot, { id, origin: 'fresh', startedAt }, counted)
  }

  async #finish(
    { roles, checks }: Selection,
    profile: InspectionProfile,
    snapshot: Pick<Snapshot, 'mesh' | 'members' | 'findings'>,
    about: Pick<InspectionRun, 'id' | 'origin' | 'startedAt'>,
    counted: Pick<MatrixInput, 'nodes' | 'silent' | 'said'> = countedFromState(snapshot),
  ): Promise<InspectionRun> {
    const run = inspect({
      ...about,
      ...counted,
      mesh: snapshot.mesh.id,
      finishedAt: new Date().toISOString(),
      profile,
      selection: { ...(roles && { roles }), ...(checks && { checks }) },
      isOff: offBySettings(this.#init.settings(), snapshot.members),
    })
    this.#note(run.id, { kind: 'done', run })
    await this.#keep(run)
    return run
  }

  /** Its event and all of it: one may find a disk that is full, and the other a server. */
  async #keep(run: InspectionRun): Promise<void> {
    const { record, store, log } = this.#init
    const notKept = (error: unknown) => log.error({ inspection: run.id, err: messageOf(error) }, 'inspection not kept')
    try {
      record(eventOf(run))
    } catch (error) {
      notKept(error)
    }
    await store.keepInspection(run).catch(notKept)
  }

  #note(id: string, state: InspectionState): void {
    this.#atHand.delete(id)
    this.#atHand.set(id, state)
    const over = [...this.#atHand].filter(([, { kind }]) => kind !== 'running')
    for (const [oldest] of over.slice(0, -AT_HAND)) this.#atHand.delete(oldest)
  }
}

/** Undefined when all are: a check of all others may be any. */
function detectorsAsked({ roles }: InspectionProfile, selection: Selection): readonly string[] | undefined {
  if (selection.checks === undefined) return undefined
  const checks = roles
    .filter(({ role }) => selection.roles?.includes(role) ?? true)
    .flatMap((role) => role.checks)
    .filter(({ check }) => selection.checks?.includes(check))
  if (checks.some(({ detectors }) => detectors === 'others')) return undefined
  return [...new Set(checks.flatMap(detectorsOf))]
}

function eventOf(run: InspectionRun): Omit<Event, 'at'> {
  const { id, profile, origin, nodes, silent } = run
  const { error, alarm, warn, unknown } = totalOf(run.sections.flatMap(({ checks }) => checks))
  return {
    id: `inspection/${id}`,
    kind: 'inspection',
    node: '',
    tone: error + alarm + silent.length > 0 ? 'bad' : 'info',
    summary: `${profile}: ${counted(nodes, 'node')}, error ${error}, alarm ${alarm}, warn ${warn}, unknown ${unknown}, silent ${silent.length}`,
    causedBy: '',
    data: { inspection: id, profile, origin, nodes, error, alarm, warn, unknown, silent: silent.length },
  }
}
