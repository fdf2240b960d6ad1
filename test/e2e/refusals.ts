/** What guards said no to, as an aggregator tells it: in its history, by its state and in its metrics. */
import { expect } from 'vitest'
import type { ApiClient } from '../../cli/client.ts'
import { GUARDS } from '../../remediators/guards/index.ts'
import type { GuardVerdict, Refusal } from '../../remediators/permits.ts'
import { type Part, remediatorOf } from './parts.ts'

const NAMES = GUARDS.map(({ name }) => name)
/** Where there is no Kubernetes these have nothing to say no to; test/control-plane/permits.test.ts shows them. */
export const OF_KUBERNETES: readonly string[] = ['fresh-view', 'one-owner', 'blocking-pods']
/** Shown by test/e2e/guards.test.ts: all others, also one that is new. */
export const OF_THE_MESH: readonly string[] = NAMES.filter((name) => !OF_KUBERNETES.includes(name))

/** Which machines that are busy bring about as well: agents that wait for a processor answer late, or do not vote. */
const OF_LOAD = /^the leader may decide nothing now: (?!frozen)/

export interface Refused {
  readonly planId: string
  /** What each guard said that said no, in the order of all. */
  readonly guards: Readonly<Record<string, string>>
}

interface Source {
  readonly client: Pick<ApiClient, 'events' | 'state'>
  /** As Prometheus reads them. */
  metrics(): Promise<string>
  until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, undefined | null | false>>
}

export class Refusals {
  readonly #source: Source
  readonly #seen = new Set<string>()
  readonly #told = new Set<string>()

  constructor(source: Source) {
    this.#source = source
  }

  /** Guards that said no, by what `next` returned. */
  get seen(): readonly string[] {
    return NAMES.filter((name) => this.#seen.has(name))
  }

  /** The last refusal of a fix of this part, if it was not returned before, once it is on record and its node has heard it. */
  async next(node: string, part: Part): Promise<Refused> {
    const { client } = this.#source
    const until: Source['until'] = (what, look) => this.#source.until(what, look)
    const { event, refusal, verdicts } = await until(`a refusal of ${remediatorOf(part)} on ${node}`, async () => {
      const events = await client.events({ node, kinds: ['permit-refused'], limit: 1_000 })
      const last = events.findLast((one) => one.summary.startsWith(`${remediatorOf(part)} may not`))
      if (last === undefined || this.#told.has(last.id)) return
      const said = last.data as { refusal: Refusal; verdicts: readonly GuardVerdict[] }
      return said.refusal.guards.every(({ why }) => OF_LOAD.test(why)) ? undefined : { event: last, ...said }
    })
    this.#told.add(event.id)
    // Whoever says no, all are asked; before them come checks of the request itself.
    expect(verdicts.map(({ guard }) => guard).slice(-NAMES.length)).toEqual(NAMES)
    expect(verdicts.filter(({ allowed }) => !allowed)).toEqual(refusal.guards)
    await until(`${node} has heard that ${refusal.planId} is refused`, async () => {
      const { remediations, permits } = await client.state()
      const said = remediations.find(({ plan }) => plan.id === refusal.planId)
      const shown = permits.refused.find(({ planId }) => planId === refusal.planId)
      const [heard, stands] = [said?.guards, shown?.guards].map((guards) => JSON.stringify(guards))
      return said?.phase === 'refused' && heard === JSON.stringify(refusal.guards) && stands === heard
    })
    const told = refusal.guards.filter(({ why }) => !OF_LOAD.test(why))
    for (const { guard } of told) this.#seen.add(guard)
    return { planId: refusal.planId, guards: Object.fromEntries(told.map(({ guard, why }) => [guard, why])) }
  }

  /** How often each guard of those seen said no, by the metrics: at least as often as it was seen. */
  async counted(): Promise<Readonly<Record<string, number>>> {
    const text = await this.#source.metrics()
    const counts = text.matchAll(/^starling_guard_refusals_total\{guard="([^"]+)"\} (\d+)$/gm)
    return Object.fromEntries([...counts].map(([, guard, count]) => [guard, Number(count)]))
  }
}
