/** Asks the nodes themselves how they are, over the mesh: the rows of an inspection that is to be of now. */
import { StarlingError } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { SilentWhy } from '../../inspection/model.ts'
import type { SummaryRow } from '../../inspection/row.ts'
import { decodeRow, encodeRowQuery, INSPECTION_TOPIC } from '../../inspection/row-codec.ts'
import { type Convergable, converge } from '../../mesh/libp2p/convergecast.ts'
import type { MemberState } from '../model.ts'
import type { FreshAnswer, FreshQuery, FreshRows } from './fresh-rows.ts'

/** Of it a node has half for its looks, less 150 ms a hop; ten seconds in all is what an inspection may take. */
const WITHIN_MS = 9_500

/** At once; each costs every node a tenth of a second of a core. */
const UNDER_WAY_MAX = 3

export interface FreshInit {
  /** This aggregator. */
  readonly node: string
  /** As this aggregator sees the members; empty while it does not lead. */
  readonly states: () => ReadonlyMap<string, MemberState>
  /** For all of it; WITHIN_MS when not given, 60 s at most. */
  readonly withinMs?: number
  readonly log: Log
}

/** States in which a node is known not to answer, and what is said of it then. */
const DOWN: Partial<Record<MemberState, SilentWhy>> = {
  NodeDown: 'NodeDown',
  HostHung: 'NodeDown',
  AgentDown: 'AgentDown',
  left: 'left',
}

export class MeshFreshRows implements FreshRows {
  readonly #init: FreshInit
  #mesh: Convergable | undefined
  #underWay = 0

  constructor(init: FreshInit) {
    this.#init = init
  }

  start(mesh: Convergable): void {
    this.#mesh = mesh
  }

  async rows(query: FreshQuery): Promise<FreshAnswer> {
    const mesh = this.#mesh
    if (mesh === undefined) throw new StarlingError('the mesh is starting', { remedy: 'try again in a second' })
    if (this.#underWay >= UNDER_WAY_MAX) {
      throw new StarlingError(`${UNDER_WAY_MAX} inspections are under way`, { remedy: 'try again in ten seconds' })
    }
    this.#underWay++
    try {
      return await this.#ask(mesh, query)
    } finally {
      this.#underWay--
    }
  }

  async #ask(mesh: Convergable, { nodes, detectors, onProgress = () => {} }: FreshQuery): Promise<FreshAnswer> {
    const { node, states, withinMs = WITHIN_MS, log } = this.#init
    const before = states()
    const all = [...new Set(nodes)]
    // Whoever is known to be down only costs time.
    const names = all.filter((each) => downAs(before.get(each)) === undefined)
    const query = { topic: INSPECTION_TOPIC, parameters: encodeRowQuery({ detectors }), withinMs, names }
    onProgress({ of: names.length, answered: 0 })
    const { rows, refused, whyMissing } = await converge(mesh, node, query, (answered) =>
      onProgress({ of: names.length, answered }),
    )
    const read = new Map<string, SummaryRow>()
    for (const { node: from, bytes } of rows.values()) {
      try {
        read.set(from, decodeRow(from, bytes))
      } catch {
        log.warn({ from }, 'a row of an inspection that is none')
      }
    }
    if (refused > 0) log.warn({ rows: refused }, 'rows that are not of the node that they name were refused')
    // What was found out meanwhile explains more than that nothing came.
    const after = states()
    const why = (each: string) => {
      return downAs(after.get(each)) ?? downAs(before.get(each)) ?? (rows.has(each) ? 'no-answer' : whyMissing(each))
    }
    return {
      rows: [...read.values()],
      missing: all.filter((each) => !read.has(each)).map((each) => ({ node: each, why: why(each) })),
    }
  }
}

function downAs(state: MemberState | undefined): SilentWhy | undefined {
  return state === undefined ? undefined : DOWN[state]
}
