import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StageWatch } from '../../aggregator/stage-watch.ts'

test('a stage that this aggregator begins is watched from then on, also before it has settled', () => {
  const watch = new StageWatch()
  expect(watch.forMs(1_000)).toBeUndefined()
  watch.leads(2_000)
  watch.begins(3_000)
  expect([watch.forMs(3_000), watch.forMs(10_000)]).toEqual([0, 7_000])
})

test('one that was there before is watched anew, from when the nodes have had time to say how they are', () => {
  const watch = new StageWatch()
  watch.begins(0)
  watch.leads(100_000)
  expect([watch.isSettled(114_999), watch.forMs(114_999)]).toEqual([false, undefined])
  expect([watch.isSettled(115_000), watch.forMs(115_000), watch.forMs(116_000)]).toEqual([true, 0, 1_000])
})

test('never for longer than since it began or was taken over', () => {
  const moves = fc.array(fc.tuple(fc.constantFrom('leads', 'begins', 'look'), fc.nat({ max: 30_000 })), {
    minLength: 1,
  })
  fc.assert(
    fc.property(moves, (all) => {
      const watch = new StageWatch()
      let [nowMs, sinceMs] = [0, 0]
      for (const [move, passedMs] of all) {
        nowMs += passedMs
        if (move === 'leads') watch.leads(nowMs)
        if (move === 'begins') watch.begins(nowMs)
        if (move !== 'look') sinceMs = nowMs
        expect(watch.forMs(nowMs) ?? 0).toBeLessThanOrEqual(nowMs - sinceMs)
      }
    }),
  )
})
