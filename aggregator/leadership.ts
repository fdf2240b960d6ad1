/**
 * When this aggregator leads: without a cluster from the start and for ever, with one while it holds the Lease. Here is what
 * taking over means, in its order, and what standing by does.
 */
import type { Log } from '../common/log.ts'
import type { Standing } from '../mesh/core/model.ts'
import { ELECTION_TIMING } from '../mesh/election/timing.ts'
import type { MeshNode, Reach } from '../mesh/libp2p/running-node.ts'
import type { RunningElection } from './kubernetes/election.ts'
import type { Kubernetes } from './kubernetes/run.ts'
import type { Journal, MarkingView, OfficeView } from './model.ts'
import type { Permits } from './permits/permits.ts'
import { retried } from './retried.ts'
import type { AggregatorService } from './service.ts'
import type { SettingsInForce } from './settings-in-force.ts'
import type { OfficeSide } from './sides.ts'

/** The latest term that this aggregator led under. */
const TERM_FACT = 'term'

/** An incident that goes on shows again well within this: a link fault is asked about every few seconds. */
const INHERITED_FOR_MS = 360_000

/** Members answer every second, and who stands by reads the Lease as often: after so long it is cut off from them. */
const CUT_OFF_MS = 10_000

export interface LeadershipInit {
  readonly store: Journal
  readonly service: AggregatorService
  readonly settings: SettingsInForce
  readonly permits: Pick<Permits, 'look' | 'standsBy'>
  readonly kubernetes: Kubernetes | undefined
  readonly log: Log
}

export interface LeadershipSide {
  readonly node: string
  readonly mesh: MeshNode
  /** Of the Lease; undefined without a cluster. */
  readonly namespace: string | undefined
}

export class Leadership implements OfficeSide {
  readonly #init: LeadershipInit
  #side: LeadershipSide | undefined
  #election: RunningElection | undefined
  #part: Pick<OfficeView, 'role' | 'since' | 'why'> = { role: 'starts', since: new Date().toISOString(), why: '' }
  /** Of the present leadership; undefined while this aggregator stands by. */
  #term: number | undefined
  #ledSinceMs = 0
  #reached: Pick<Reach, 'present' | 'live'> = { present: 0, live: 0 }
  #inherited: NodeJS.Timeout | undefined

  constructor(init: LeadershipInit) {
    this.#init = init
  }

  get leads(): boolean {
    return this.#term !== undefined
  }

  /** How long it has led. */
  get ledForMs(): number {
    return performance.now() - this.#ledSinceMs
  }

  /** Under which it may write to what the aggregators share; undefined while it may not. */
  get term(): number | undefined {
    return this.#election?.mayWrite() === false ? undefined : this.#term
  }

  /** What part this aggregator plays at present. */
  office(): Omit<OfficeView, 'node'> {
    const { role } = this.#part
    const node = this.#side?.node ?? ''
    const holder = this.#election?.lastRead?.holder ?? ''
    const standsBy = role === 'stands-by'
    // One that resigns holds its Lease for some seconds yet.
    const leader = standsBy ? (holder === node ? '' : holder) : role === 'starts' ? '' : node
    return { ...this.#part, leader, unfit: standsBy ? this.#whyUnfit() : null }
  }

  /** Null without a cluster. */
  marking(): MarkingView | null {
    const { kubernetes, settings } = this.#init
    if (kubernetes === undefined) return null
    const { mode = 'observe', pools = {} } = settings.document.marking ?? {}
    const modes = Object.fromEntries(Object.entries(pools).map(([pool, set]) => [pool, set.mode]))
    return { mode, pools: modes, stalled: this.#election?.mayWrite() === true ? null : STALLED }
  }

  /** A roll-call or a canvass of its own is over. */
  readonly reach = (reach: Reach): void => {
    this.#reached = reach
    this.#election?.reach(reach)
  }

  /** Another aggregator called the roll. */
  readonly called = (_by: string, term: number): void => this.#election?.called(term)

  start(side: LeadershipSide): void {
    const { node, mesh, namespace } = side
    const { kubernetes, service } = this.#init
    this.#side = side
    const latest = this.#latestTerm()
    if (kubernetes === undefined || namespace === undefined) {
      this.#take(latest + 1)
      this.#lead(mesh, latest + 1, service.verdicts.standing())
      return
    }
    this.#becomes('stands-by', 'it started')
    this.#election = kubernetes.elect(namespace, {
      node,
      incarnation: mesh.incarnation,
      term: latest,
      roster: () => mesh.roster,
      canvass: mesh.canvass,
      lead: (term, after) => {
        // Who led in between may have ended verdicts that this record holds for standing.
        const isComplete = after === this.#latestTerm()
        this.#take(term)
        void this.#takeOver(mesh, term, isComplete)
      },
      standBy: (why) => this.#standBy(mesh, why),
      onNotice: ({ open }) => {
        const { present, live } = this.#reached
        service.notice({ kind: 'quorum', reached: !open, present, live })
      },
    })
  }

  stop(): void {
    clearInterval(this.#inherited)
  }

  #latestTerm(): number {
    return Number(this.#init.store.readFact(TERM_FACT) ?? 0)
  }

  /** On record before it is used: two lives of an aggregator never ask under the same term. */
  #take(term: number): void {
    this.#init.store.writeFact(TERM_FACT, String(term))
    this.#term = term
    this.#becomes('takes-over', `elected for term ${term}`)
  }

  /** What stands is known from this record, from the marks on Nodes, and from what the mesh has heard. */
  async #takeOver(mesh: MeshNode, term: number, isComplete: boolean): Promise<void> {
    const { kubernetes, service } = this.#init
    const onNodes = (await kubernetes?.standingOnNodes()) ?? []
    if (this.#term !== term) return
    const onRecord = isComplete ? service.verdicts.standing() : []
    this.#lead(mesh, term, [...onNodes, ...onRecord])
    kubernetes?.start(mesh, [...(mesh.leader?.conditions.standing.values() ?? [])])
  }

  #lead(mesh: MeshNode, term: number, standing: readonly Standing[]): void {
    const { service, settings, permits, log } = this.#init
    clearInterval(this.#inherited)
    this.#ledSinceMs = performance.now()
    mesh.lead(term, standing)
    this.#becomes('leads', `since term ${term}`)
    service.leads(term)
    settings.leads()
    permits.look()
    // Once is enough; what cannot go on record then does at one of the next turns.
    const endUnseen = retried(() => service.endUnseen(), 'incidents that are over are not ended', log)
    this.#inherited = setInterval(endUnseen, INHERITED_FOR_MS)
  }

  #standBy(mesh: MeshNode, why: string): void {
    const { kubernetes, service, permits, log } = this.#init
    this.#term = undefined
    clearInterval(this.#inherited)
    mesh.standBy()
    this.#becomes('stands-by', why)
    service.standsBy()
    permits.standsBy()
    kubernetes
      ?.rest()
      .catch((error: unknown) => log.error({ err: String(error), why }, 'marking does not come to rest'))
  }

  #becomes(role: OfficeView['role'], why: string): void {
    this.#part = { role, why, since: new Date().toISOString() }
  }

  /** To take over it must be answered by the mesh, and by the API server. */
  #whyUnfit(): string | null {
    const isFresh = (atMs: number) => performance.now() - atMs < CUT_OFF_MS
    const seconds = `${CUT_OFF_MS / 1_000} s`
    if (!(this.#side?.mesh.peerClocks ?? []).some(({ atMs }) => isFresh(atMs))) {
      return `no member of the mesh has answered it for ${seconds}`
    }
    if (!isFresh(this.#election?.lastRead?.atMs ?? Number.NEGATIVE_INFINITY)) {
      return `the API server has not answered it for ${seconds}`
    }
    return null
  }
}

const STALLED = `the Lease was not renewed for ${ELECTION_TIMING.writeMs / 1_000} s: the API server does not answer in time`
