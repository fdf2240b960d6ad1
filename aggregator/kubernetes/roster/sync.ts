/**
 * Keeps the roster as the cluster's Nodes and the enrolled agents want it: decides when something changed, records the next
 * epoch, and only then brings it into force. Whatever fails leaves the roster that is in force, and is tried again.
 */
import { messageOf } from '../../../common/errors.ts'
import type { Log } from '../../../common/log.ts'
import { ROSTER_BYTES_MAX, type Roster } from '../../../mesh/core/model.ts'
import type { Enrolment } from '../../../mesh/identity/enrolment.ts'
import { rosterHash } from '../../../mesh/identity/signed-roster.ts'
import type { RosterView } from '../../roster-model.ts'
import type { RosterStory } from '../../roster-story.ts'
import type { Authority } from '../authority.ts'
import { nextEpochAt } from './churn.ts'
import type { EpochRecord, EpochStore } from './epoch-record.ts'
import type { RosterMemory } from './memory.ts'
import { isKnown, nextEpoch } from './next-epoch.ts'
import type { NodeSource } from './node-source.ts'
import {
  type Change,
  churnBetween,
  decideRoster,
  keyOf,
  losesMachine,
  type RosterDecision,
  retiredBy,
} from './rules.ts'

/** What changes together is gathered into one epoch. */
const SETTLE_MS = 1_000

/** Looked at again: what waits for time to pass, or for an API server. */
const AGAIN_MS = 5_000

export interface RosterSyncInit {
  readonly nodes: NodeSource
  readonly enrolments: {
    current(wallMs: number): ReadonlyMap<string, Enrolment>
    start(onChange: () => void): void
    stop(): void
  }
  readonly record: EpochStore
  readonly authority: Authority
  readonly memory: RosterMemory
  readonly story: Pick<RosterStory, 'waits' | 'changed'>
  readonly log: Log
  readonly agentPort: number
  sign(roster: Roster): Uint8Array
  /** Monotonic and wall clock, ms. */
  now(): number
  wallNow(): number
  /** Gives back what the connection to the cluster holds. */
  close(): void
}

/** What it asks of the running mesh. */
export interface MeshOfRoster {
  readonly roster: Roster
  /** Members without a standing verdict that have not left; undefined while this aggregator leads nobody. */
  live(): number | undefined
  advance(bytes: Uint8Array): void
}

interface Meant {
  readonly record: EpochRecord
  readonly roster: Roster
  readonly bytes: Uint8Array
  readonly changes: readonly Change[]
}

export class RosterSync {
  readonly #init: RosterSyncInit
  readonly #mesh: MeshOfRoster
  /** Changes that a person let through and that are not in force yet. */
  #allowed: ReadonlySet<string> = new Set()
  #known: Roster
  #decision: RosterDecision = { members: undefined, changes: [], held: [], uncovered: [] }
  /** Recorded, perhaps, and not in force. */
  #meant: Meant | undefined
  /** A record whose roster is not here, and since when. */
  #unknown: { readonly hash: string; readonly sinceMs: number } | undefined
  #stalled: string | undefined
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #isLooking = false
  #isStopped = false

  constructor(init: RosterSyncInit, mesh: MeshOfRoster) {
    this.#init = init
    this.#mesh = mesh
    this.#known = mesh.roster
    const changed = () => this.#lookIn(SETTLE_MS)
    init.enrolments.start(changed)
    init.nodes.start(changed)
    this.#lookIn(SETTLE_MS)
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#init.nodes.stop()
    this.#init.enrolments.stop()
    this.#init.close()
  }

  view(): RosterView {
    const { nodes } = this.#init
    return {
      stalled:
        nodes.stale === undefined ? (this.#stalled ?? null) : `the API server does not tell of Nodes: ${nodes.stale}`,
      uncovered: this.#decision.uncovered,
      held: this.#decision.held.map(({ kind, why, changes }) => ({
        kind,
        why,
        nodes: changes.map(({ node }) => node),
      })),
    }
  }

  /** A person lets through what waits now, and nothing that comes later. */
  release(): void {
    const waiting = this.#decision.held.flatMap(({ changes }) => changes.map(keyOf))
    this.#allowed = new Set([...this.#allowed, ...waiting])
    this.#lookIn(0)
  }

  #lookIn(ms: number): void {
    const at = this.#init.now() + ms
    if (this.#isStopped || at >= this.#dueAt) return
    this.#dueAt = at
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), ms)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY
    if (this.#isLooking) return this.#lookIn(SETTLE_MS)
    this.#isLooking = true
    try {
      this.#stalled = await this.#step()
    } catch (error) {
      this.#stalled = `no epoch can be recorded: ${messageOf(error)}`
    }
    this.#isLooking = false
    if (this.#stalled !== undefined) this.#init.log.warn({ err: this.#stalled }, 'roster not advanced')
    this.#lookIn(AGAIN_MS)
  }

  /** Why the roster could not be what it should be; undefined when it is, or will be without anybody's doing. */
  async #step(): Promise<string | undefined> {
    const { authority, memory, story, record, now } = this.#init
    this.#follow()
    // What is to become of the roster is the leader's to say.
    const live = this.#mesh.live()
    if (!authority.mayWrite() || live === undefined) return undefined
    const decision = this.#decide(live)
    story.waits(decision.held)
    if (decision.members === undefined) return undefined
    const waitMs = nextEpochAt(memory.past) - now()
    if (waitMs > 0) {
      this.#lookIn(waitMs)
      return undefined
    }
    const { roster } = this.#mesh
    const inForce = { epoch: roster.epoch, hash: rosterHash(roster) }
    const before = await record.read()
    const unknownForMs = this.#unknownFor(before.record, inForce)
    const next = nextEpoch({ record: before.record, inForce, meant: this.#meant?.record, unknownForMs })
    if (next.kind === 'wait') return next.why
    if (this.#mesh.roster !== roster || !authority.mayWrite()) return undefined
    if (next.kind === 'recorded') return this.#bringIntoForce()
    const members = decision.members
    this.#meant = this.#mean({ ...roster, epoch: next.epoch, previous: inForce.hash, members }, decision.changes)
    await record.write(before, this.#meant.record)
    return this.#bringIntoForce()
  }

  #decide(live: number): RosterDecision {
    const { nodes, enrolments, memory, agentPort, now, wallNow } = this.#init
    const nowMs = now()
    this.#decision = decideRoster({
      inForce: this.#mesh.roster,
      nodes: nodes.nodes,
      enrolments: enrolments.current(wallNow()),
      retired: memory.retired,
      isFounding: memory.isFounding(nowMs),
      allowed: this.#allowed,
      agentPort,
      past: memory.past,
      live,
      nowMs,
    })
    const wanted = [...this.#decision.changes, ...this.#decision.held.flatMap(({ changes }) => changes)]
    const wantedKeys = new Set(wanted.map(keyOf))
    // What was let through and is not wanted any more must be asked about again if it ever is.
    if (nodes.nodes !== undefined) this.#allowed = new Set([...this.#allowed].filter((key) => wantedKeys.has(key)))
    return this.#decision
  }

  /** A roster of another leader may have come by mesh: what it changed counts for the brakes here as well. */
  #follow(): void {
    const { roster } = this.#mesh
    if (roster === this.#known) return
    const { memory, now, wallNow } = this.#init
    memory.retire(retiredBy(this.#known, roster), wallNow())
    memory.passed({ atMs: now(), ...churnBetween(this.#known, roster) }, wallNow())
    this.#known = roster
  }

  #unknownFor(record: EpochRecord | undefined, inForce: Pick<EpochRecord, 'epoch' | 'hash'>): number {
    const nowMs = this.#init.now()
    if (record === undefined || isKnown(record, inForce)) this.#unknown = undefined
    else if (this.#unknown?.hash !== record.hash) this.#unknown = { hash: record.hash, sinceMs: nowMs }
    return this.#unknown === undefined ? 0 : nowMs - this.#unknown.sinceMs
  }

  /** Throws when the mesh could not carry it. */
  #mean(roster: Roster, changes: readonly Change[]): Meant {
    const bytes = this.#init.sign(roster)
    if (bytes.length > ROSTER_BYTES_MAX) {
      throw new Error(`a roster of ${roster.members.length} members takes more than ${ROSTER_BYTES_MAX} bytes`)
    }
    const { epoch } = roster
    return { record: { epoch, hash: rosterHash(roster), term: this.#init.authority.term }, roster, bytes, changes }
  }

  /** It is on record: remembers what came of it, then it takes effect. */
  #bringIntoForce(): undefined {
    const meant = this.#meant
    if (meant === undefined) return
    const { memory, story, log, now, wallNow } = this.#init
    const { roster, changes } = meant
    memory.retire(retiredBy(this.#mesh.roster, roster), wallNow())
    this.#mesh.advance(meant.bytes)
    this.#meant = undefined
    this.#known = this.#mesh.roster
    const unasked = changes.filter((change) => !this.#allowed.has(keyOf(change)))
    const removed = unasked.filter(losesMachine).length
    const added = unasked.filter(({ kind }) => kind === 'added').length
    memory.passed({ atMs: now(), removed, added }, wallNow())
    log.info({ epoch: roster.epoch, members: roster.members.length, changes: changes.length }, 'roster advanced')
    story.changed(roster.epoch, changes)
    this.#decision = { ...this.#decision, members: undefined, changes: [] }
    this.#lookIn(SETTLE_MS)
  }
}
