/** What nodes measure, put together: collected while this aggregator leads, kept by the hour, told to whoever asks. */
import type { FastifyInstance } from 'fastify'
import type { Log } from '../../common/log.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { History } from '../history/history.ts'
import { AskedRows } from './asked-rows.ts'
import { Collector } from './collector.ts'
import { ConvergedRows } from './converged-rows.ts'
import { FleetMeasures } from './fleet-measures.ts'
import type { PodLabels } from './pod-labels.ts'
import { registerMeasureRoutes } from './routes.ts'
import type { MeasureSource } from './source.ts'

export interface MeasuresInit {
  /** This aggregator. */
  readonly node: string
  readonly history: Pick<History, 'keepMeasures' | 'measures' | 'dailyMeasures'>
  readonly members: () => readonly { readonly node: string; readonly pool?: string | undefined }[]
  readonly leads: () => boolean
  readonly pods: PodLabels
  readonly log: Log
}

export interface CollectedMeasures {
  readonly source: MeasureSource
  registerRoutes(api: FastifyInstance): void
  /** The mesh runs. */
  start(mesh: MeshNode): void
  stop(): Promise<void>
}

export function createMeasures({ node, history, members, leads, pods, log }: MeasuresInit): CollectedMeasures {
  const stopping = new AbortController()
  let [known, pools] = [members(), new Map<string, string>()]
  const poolsNow = () => {
    const now = members()
    if (now !== known || pools.size === 0) pools = new Map(now.map(({ node, pool = '' }) => [node, pool]))
    known = now
    return pools
  }
  const now = () => performance.now()
  const fleet = new FleetMeasures({ now, poolOf: (node) => poolsNow().get(node), pods })
  let collecting = Promise.resolve()
  return {
    source: fleet,
    registerRoutes: (api) => registerMeasureRoutes(api, { history, source: fleet, leads }),
    start(mesh) {
      const asked = new AskedRows(mesh.ask, log)
      const collector = new Collector({
        rows: new ConvergedRows(mesh, node, asked),
        byName: asked,
        fleet,
        members: () => members().map(({ node }) => node),
        leads,
        keepHours: (hours) => history.keepMeasures(hours),
        wallNow: () => Date.now(),
        now,
        log,
      })
      collecting = collector.run(stopping.signal)
    },
    async stop() {
      stopping.abort()
      await collecting
    },
  }
}
