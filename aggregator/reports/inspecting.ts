/** Inspections for reports: every node is asked anew where that is wanted and possible, else what they said before counts. */
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { InspectionRun } from '../../inspection/model.ts'
import type { InspectionOrder, Inspections } from '../inspection/inspections.ts'
import type { Inspected } from './reports.ts'

const ASKED_EVERY_MS = 250
const DONE_WITHIN_MS = 60_000

/** Rejects with StarlingError when none can be taken now, or there is no such profile or role. */
export async function inspectFor(
  inspections: Pick<Inspections, 'take' | 'begin' | 'state' | 'deltas'>,
  { fresh, ...order }: InspectionOrder,
  log: Log,
): Promise<Inspected> {
  const run = (fresh ? await freshRun(inspections, order, log) : undefined) ?? (await inspections.take(order))
  return { run, deltas: await inspections.deltas(run) }
}

async function freshRun(
  inspections: Pick<Inspections, 'begin' | 'state'>,
  order: Omit<InspectionOrder, 'fresh'>,
  log: Log,
): Promise<InspectionRun | undefined> {
  try {
    const { id } = idOf(inspections.begin(order))
    const deadline = performance.now() + DONE_WITHIN_MS
    while (performance.now() < deadline) {
      const state = await inspections.state(id)
      if (state?.kind === 'done') return state.run
      if (state?.kind === 'failed') throw new StarlingError(state.why)
      await sleep(ASKED_EVERY_MS)
    }
    throw new StarlingError('it takes too long')
  } catch (error) {
    // Asked otherwise it would be no better.
    if (error instanceof UsageError) throw error
    log.warn({ err: messageOf(error) }, 'no fresh inspection for a report: what nodes said before counts')
    return undefined
  }
}

function idOf(state: ReturnType<Inspections['begin']>): { readonly id: string } {
  return state.kind === 'done' ? state.run : state
}
