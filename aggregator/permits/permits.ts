/** Everything about permits, put together for an aggregator: the record, the desk, and what people say of it. */
import type { Log } from '../../common/log.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import type { AggregatorMetrics } from '../metrics.ts'
import type { Event } from '../model.ts'
import type { Person } from '../people.ts'
import type { PauseRequest, PauseScope, PermitsView, Release, ReleaseScope } from '../remediation-model.ts'
import type { PermitsSide } from '../sides.ts'
import { isPausedAt } from './book.ts'
import type { BookStore } from './book-store.ts'
import { type DeskSide, PermitDesk } from './desk.ts'
import { Ledger } from './ledger.ts'
import type { SettledRules } from './mode.ts'
import { type OutsideInit, readOutside } from './outside.ts'
import { PauseEnds } from './pause-ends.ts'
import { Pauses } from './pauses.ts'
import type { PermitStory } from './story.ts'

export interface PermitsInit extends OutsideInit {
  readonly store: BookStore
  readonly story: PermitStory
  readonly metrics: Pick<AggregatorMetrics, 'refusal' | 'outcome' | 'budgets'>
  readonly log: Log
  /** The term under which this aggregator leads; undefined while it may write nothing. */
  term(): number | undefined
  guards(): GuardSettings
  /** Who is known by name now. */
  people(): readonly Person[]
  /** Of each version of the settings that the node may be running; none of one that is no member. */
  settled(node: string): readonly SettledRules[]
}

export class Permits implements PermitsSide {
  readonly #ledger: Ledger
  readonly #desk: PermitDesk
  readonly #pauses: Pauses
  readonly #pauseEnds: PauseEnds

  constructor({ store, story, metrics, log, term, guards, people, settled, cluster, alerts }: PermitsInit) {
    const wallNow = () => Date.now()
    this.#ledger = new Ledger({ store, term })
    this.#pauses = new Pauses({ ledger: this.#ledger, story, wallNow })
    this.#pauseEnds = new PauseEnds({ ledger: this.#ledger, story, log, wallNow })
    this.#desk = new PermitDesk({
      ledger: this.#ledger,
      ...{ story, log, guards, people, settled, wallNow },
      outlook: (settings) => readOutside({ cluster, alerts }, settings),
      used: metrics.budgets,
      refusedBy: metrics.refusal,
      came: ({ remediator, phase }) => metrics.outcome(remediator, phase),
      now: () => performance.now(),
    })
  }

  start(side: DeskSide): void {
    this.#desk.start(side)
  }

  stop(): void {
    this.#desk.stop()
    this.#pauseEnds.stop()
  }

  /** This aggregator leads from now on, or the mesh has decided something about a node. */
  look(): void {
    this.#desk.look()
    void this.#pauseEnds.look()
  }

  standsBy(): void {
    this.#desk.standsBy()
    this.#pauseEnds.stop()
  }

  /** True for what is for nobody else. Throws an Error for a note that is not what its topic says. */
  hear(signed: SignedStatement): boolean {
    return this.#desk.hear(signed)
  }

  /** After the fleet has heard it. */
  heardOf(signed: SignedStatement): void {
    this.#desk.heardOf(signed)
  }

  view(): Omit<PermitsView, 'approvals'> {
    const { grants = [], pauses = [] } = this.#ledger.known ?? {}
    return {
      outstanding: grants.map(({ permit: { id, node, planId, at }, plan: { remediator } }) => {
        return { id, node, planId, remediator, at }
      }),
      refused: this.#desk.refused.map(({ nonce: _, ...refusal }) => refusal),
      pauses: pauses.filter((pause) => isPausedAt(pause, Date.now())),
    }
  }

  async pause(request: PauseRequest, by: string): Promise<Event> {
    const event = await this.#pauses.pause(request, by)
    void this.#pauseEnds.look()
    return event
  }

  resume(scope: PauseScope, release: Release, by: string): Promise<Event> {
    return this.#pauses.resume(scope, release, by)
  }

  release(scope: ReleaseScope, release: Release, by: string): Promise<Event> {
    return this.#pauses.release(scope, release, by)
  }
}
