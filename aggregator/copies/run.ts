/** Copies and outboxes, wired to the aggregator that they are part of. */
import type { FastifyInstance } from 'fastify'
import type { Log } from '../../common/log.ts'
import type { Questions } from '../../mesh/libp2p/questions.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { AggregatorConfig } from '../config.ts'
import type { Event } from '../event-model.ts'
import { Outboxes } from '../outboxes/outboxes.ts'
import type { AggregatorService } from '../service.ts'
import type { WatchedJournal } from '../store/write-watch.ts'
import { endedElsewhere } from '../verdicts.ts'
import { answerAcknowledged } from './acknowledging.ts'
import { Copies } from './copies.ts'
import type { CopiesView } from './view.ts'

export interface CopyingInit {
  readonly node: string
  readonly config: Pick<AggregatorConfig, 'store'>
  readonly journal: WatchedJournal
  readonly service: AggregatorService
  readonly leads: () => boolean
  readonly questions: Questions
  readonly log: Log
}

export interface Copying {
  registerRoutes(api: FastifyInstance): void
  view(): CopiesView
  /** PostgreSQL has all up to this place of the journal; less than before, when it was set back. */
  carried(upTo: number): void
  start(mesh: MeshNode): void
  stop(): void
}

/** Must be called before anything is recorded in this life of the aggregator. */
export function createCopying(init: CopyingInit): Copying {
  const { node, config, journal, service, leads, questions, log } = init
  const { recorder } = service
  let running: MeshNode | undefined

  const take = (events: readonly Event[]): readonly number[] => {
    const places = recorder.copy(events, leads())
    // A verdict that another aggregator had alone was never told to the mesh, or has ended by now.
    const told = new Set(events.filter(({ kind }) => kind === 'verdict').map(({ data }) => data.verdictId))
    const leader = running?.leader
    if (leader !== undefined && told.size > 0) {
      const standing = () => service.verdicts.standing().filter(({ verdictId }) => told.has(verdictId))
      endedElsewhere({ standing }, recorder.mesh, leader.conditions.standing)
    }
    return places
  }
  const outboxes = new Outboxes({ journal, take, leads, log })
  const leader = () => service.office().leader
  const tell = recorder.mesh.singleCopy.bind(recorder.mesh)
  const history = config.store.url === undefined ? undefined : 'PostgreSQL'
  const copies = new Copies({ node, journal, take, leads, leader, tell, questions, history, log })
  journal.onWrittenAgain((since) => outboxes.missedSince(since))
  const unsubscribe = service.subscribe((event) => {
    if (event === null) return
    copies.stored(event)
    outboxes.stored(event)
  })
  return {
    registerRoutes: (api) => answerAcknowledged(api, copies),
    view: () => copies.view(),
    carried: (upTo) => copies.carried(upTo),
    start: (mesh) => {
      running = mesh
      copies.start(mesh)
      outboxes.start(mesh)
    },
    stop: () => {
      unsubscribe()
      copies.stop()
      outboxes.stop()
    },
  }
}
