/** What is told of the present, change by change: put together it is what it would be as a whole. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Snapshot } from '../../aggregator/model.ts'
import { applyChange, changesBetween, toldStateOf } from '../../aggregator/stream/changes.ts'
import type { NumberedState, StateChange, ToldState } from '../../aggregator/stream/told-state.ts'
import type { Finding } from '../../detectors/contract.ts'
import { byKey } from './by-key.ts'
import { createSamplePort } from './sample-port.ts'

const SAMPLE = createSamplePort().snapshot()

/** As it comes out of the stream. */
const sent = <T>(value: T): T => JSON.parse(JSON.stringify(value))

/** Some of what there may be, each as one of several, in any order. */
function someOf<T>(makers: readonly ((turn: number) => T)[]): fc.Arbitrary<readonly T[]> {
  const one = fc.tuple(fc.nat(makers.length - 1), fc.nat(2))
  return fc.array(one, { maxLength: 8 }).map((all) => all.flatMap(([n, turn]) => makers[n]?.(turn) ?? []))
}

/** Made anew each time: that nothing has changed does not show by the object. */
function makersOf<T extends object>(samples: readonly T[], vary: (one: T, turn: number) => T) {
  return samples.map((sample) => (turn: number) => vary(structuredClone(sample), turn))
}

const STATUSES = ['ok', 'warn', 'not-applicable'] as const
const [FINDING] = SAMPLE.findings
if (FINDING === undefined) throw new Error('the sample has no findings')
const findings = ['a', 'b', '__proto__', '', '7'].map((id): Finding => ({ ...FINDING, id }))

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({
    notice: fc.constantFrom('', 'one', 'line\n"quoted" 磁盘'),
    settings: fc.nat(2).map((version) => ({ ...SAMPLE.settings, version })),
    marking: fc.constantFrom(null, SAMPLE.marking),
    members: someOf(makersOf(SAMPLE.members, (one, turn) => ({ ...one, since: `${turn}` }))),
    findings: someOf(makersOf(findings, (one, turn) => ({ ...one, status: STATUSES[turn] ?? 'ok' }))),
    verdicts: someOf(makersOf(SAMPLE.verdicts, (one, turn) => (turn === 0 ? one : { ...one, endedAt: `${turn}` }))),
    remediations: someOf(makersOf(SAMPLE.remediations, (one, turn) => ({ ...one, why: `${turn}` }))),
  })
  .map((parts) => ({ ...SAMPLE, ...parts }))

it('all changes, one after the other, make of the first state the last', () => {
  fc.assert(
    fc.property(snapshots, fc.array(snapshots, { maxLength: 6 }), (first, later) => {
      let told: NumberedState = { ...toldStateOf(first), number: 1 }
      let page = sent(told)
      for (const snapshot of later) {
        const now = toldStateOf(snapshot)
        const change = changesBetween(told, now)
        if (change !== undefined) {
          told = { ...now, number: change.number }
          page = must(applyChange(page, sent(change)))
        }
        expect(byKey(page)).toEqual(byKey(sent({ ...now, number: told.number })))
      }
    }),
    { numRuns: 500 },
  )
})

it('nothing is told when nothing has changed, and of one that changed nothing of the others', () => {
  const before = { ...toldStateOf(SAMPLE), number: 7 }
  expect(changesBetween(before, toldStateOf(structuredClone(SAMPLE)))).toBeUndefined()
  const [first, ...others] = SAMPLE.members
  if (first === undefined) throw new Error('the sample has no members')
  const now = toldStateOf({ ...SAMPLE, notice: 'another', members: [...others, { ...first, state: 'suspected' }] })
  const nothing = { put: [], removed: [] }
  expect(changesBetween(before, now)).toEqual({
    basedOn: 7,
    number: 8,
    parts: { notice: 'another' },
    members: { put: [{ ...first, state: 'suspected' }], removed: [] },
    findings: nothing,
    verdicts: nothing,
    remediations: nothing,
  } satisfies StateChange)
})

it('a change that is based on another state is not applied', () => {
  const [state, next]: ToldState[] = [toldStateOf(SAMPLE), toldStateOf({ ...SAMPLE, notice: 'another' })]
  const change = must(changesBetween({ ...must(state), number: 7 }, must(next)))
  expect(applyChange({ ...must(state), number: 6 }, change)).toBeUndefined()
  expect(applyChange({ ...must(state), number: 8 }, change)).toBeUndefined()
  expect(applyChange({ ...must(state), number: 7 }, change)?.notice).toBe('another')
})

it('what is well is counted, and told no further', () => {
  const of = (status: Finding['status'], n: number) => ({ ...FINDING, id: `${status} ${n}`, status })
  const all = [of('ok', 1), of('ok', 2), of('not-applicable', 1), of('unknown', 1), of('info', 1)]
  const told = toldStateOf({ ...SAMPLE, findings: all })
  expect(told.findings.map(({ status }) => status)).toEqual(['unknown', 'info'])
  expect(told.wellFindings).toEqual({ ok: 2, notApplicable: 1 })
})

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is missing')
  return value
}
