/** What holds of an election whatever happens: never two who may write, and always soon one who leads. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Fate } from '../../mesh/sim/election/api.ts'
import { Elections } from './elections.ts'

const REPLICAS = 3
/** docs/protocol.md section 6: a leader that is gone with its host is replaced within so long. */
const LEADS_WITHIN_MS = 12_000

type Fault =
  | { readonly kind: 'pause' | 'cutFromMesh' | 'cutFromApi'; readonly who: number; readonly ms: number }
  | { readonly kind: 'kill' | 'start'; readonly who: number }
  | { readonly kind: 'apiAway'; readonly ms: number }

const who = fc.nat({ max: REPLICAS - 1 })
/** Up to minutes; mostly about as long as a Lease. */
const ms = fc.oneof(fc.integer({ min: 10, max: 15_000 }), fc.integer({ min: 10, max: 180_000 }))
const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ kind: fc.constantFrom('pause' as const, 'cutFromMesh' as const, 'cutFromApi' as const), who, ms }),
  fc.record({ kind: fc.constantFrom('kill' as const, 'start' as const), who }),
  fc.record({ kind: fc.constant('apiAway' as const), ms: fc.integer({ min: 100, max: 60_000 }) }),
)
const course = fc.array(fc.record({ fault, thenMs: fc.integer({ min: 0, max: 20_000 }) }), { maxLength: 12 })

/** Some requests never arrive, some answers never come back, and some of either take far longer than anybody waits. */
function unreliable(random: () => number): Fate {
  const way = () => {
    const dice = random()
    if (dice < 0.1) return undefined
    return dice < 0.2 ? 30_000 * random() : 100 * random()
  }
  return { there: way(), back: way() }
}

/** As a server next door from some moment on. */
function unreliableUntil(isOver: () => boolean) {
  return (random: () => number): Fate => (isOver() ? { there: 15 * random(), back: 15 * random() } : unreliable(random))
}

function befalls(elections: Elections, fault: Fault): void {
  switch (fault.kind) {
    case 'pause':
    case 'cutFromMesh':
    case 'cutFromApi':
      elections[fault.kind](fault.who, fault.ms)
      return
    case 'kill':
    case 'start':
      elections[fault.kind](fault.who)
      return
    case 'apiAway': {
      const { api, agenda } = elections
      api.isUp = false
      agenda.at(agenda.now + fault.ms, () => {
        api.isUp = true
      })
      return
    }
  }
}

describe('whatever happens', () => {
  test('there are never two who may write, and no two leaderships of one term', () => {
    fc.assert(
      fc.property(course, fc.nat(), (course, seed) => {
        const elections = new Elections(REPLICAS, seed, unreliable)
        const look = () => {
          if (elections.writers.length > 1) throw new Error(`replicas ${elections.writers.join(', ')} may write`)
        }
        elections.passes(5_000, look)
        for (const { fault, thenMs } of course) {
          befalls(elections, fault)
          elections.passes(thenMs, look)
        }
        elections.passes(20_000, look)
        const terms = elections.led.map(([, term]) => term)
        expect(terms).toEqual([...new Set(terms)].toSorted((a, b) => a - b))
      }),
      { numRuns: 300 },
    )
  })

  test('somebody leads and may write within 12 s of one replica being well, and the API server', () => {
    fc.assert(
      fc.property(course, fc.nat(), who, (course, seed, well) => {
        let isOver = false
        const elections = new Elections(
          REPLICAS,
          seed,
          unreliableUntil(() => isOver),
        )
        for (const { fault, thenMs } of course) {
          befalls(elections, fault)
          elections.passes(thenMs)
        }
        // What is still to come of the faults comes: the others may stay as they are, or get well.
        const endsAt = elections.agenda.now + 180_000
        for (let index = 0; index < REPLICAS; index++) if (index !== well) elections.kill(index)
        elections.passes(endsAt - elections.agenda.now)
        isOver = true
        elections.start(well)
        let writes = false
        elections.passes(LEADS_WITHIN_MS, () => {
          writes ||= elections.writers.length === 1
        })
        expect(writes).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
