/** The text of rules over measures: what is read, and where an error points. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MEASURES, type MeasureName } from '../../../inspection/measures.ts'
import {
  AGGREGATES,
  COMPARISONS,
  ExpressionError,
  type MeasureExpression,
  readExpression,
  writeExpression,
} from '../../../settings/alert-expression.ts'

describe('a rule over measures', () => {
  it('is read in the form that people write', () => {
    expect(readExpression('avg(memory) over 5m > 80 on pool=x')).toEqual({
      aggregate: 'avg',
      measure: 'memory',
      overMs: 300_000,
      comparison: '>',
      limit: 80,
      scope: 'host',
      labels: {},
      on: { pools: ['x'] },
    })
    expect(
      readExpression('avg(memory) over 5m>80 of workload app=shop , tier=db on pool=x,pool=y,role=etcd'),
    ).toMatchObject({
      scope: 'workload',
      labels: { app: 'shop', tier: 'db' },
      on: { pools: ['x', 'y'], roles: ['etcd'] },
    })
    expect(readExpression('max(network-in) over 1h >= 100Mi on zone=a of container')).toMatchObject({
      limit: 104_857_600,
      scope: 'container',
      on: { zones: ['a'] },
    })
    expect(readExpression('min(load) over 1m <= -0.5').comparison).toBe('<=')
  })

  it.each([
    ['', 1, 'is missing'],
    ['average(memory) over 5m > 80', 1, 'avg, max, min, sum, count'],
    ['agv(memory) over 5m > 80', 1, 'did you mean avg?'],
    ['avg memory over 5m > 80', 5, 'write ('],
    ['avg(memry) over 5m > 80', 5, 'did you mean memory?'],
    ['avg(memory) ovr 5m > 80', 13, 'write over'],
    ['avg(memory) over 5 > 80', 18, 'write it as 5m'],
    ['avg(memory) over 5s > 80', 18, 'between 1m and 1h'],
    ['avg(memory) over 5m = 80', 21, 'a comparison'],
    ['avg(memory) over 5m >', 22, 'a number'],
    ['avg(memory) over 5m > 80%', 23, 'write it as 80'],
    ['avg(memory) over 5m > 80 on', 28, 'write which hosts'],
    ['avg(memory) over 5m > 80 on pol=x', 29, 'did you mean pool?'],
    ['avg(memory) over 5m > 80 on pool=', 29, 'NAME=VALUE'],
    ['avg(memory) over 5m > 80 on pool=x and role=y', 36, 'of, on'],
    ['avg(memory) over 5m > 80 on pool=x on pool=y', 36, 'not expected'],
    ['avg(memory) over 5m > 80 of pod app=x', 29, 'container'],
    ['avg(memory) over 5m > 80 of workload', 29, 'labels'],
    ['avg(memory) over 5m > 80 of host app=x', 34, 'labels are of containers'],
    ['avg(memory) over 5m > 80 of workload a=b,a=c', 42, 'given twice'],
    ['avg(constructor) over 5m > 80', 5, 'a measure'],
    ['avg(memory) over 5m > 80 on __proto__=x', 29, 'a way to choose hosts'],
  ])('"%s" is none, at %i', (text, column, message) => {
    const refused = (): MeasureExpression => readExpression(text)
    expect(refused).toThrow(ExpressionError)
    expect(refused).toThrow(`at character ${column}: `)
    expect(refused).toThrow(message)
  })

  const word = fc.stringMatching(/^[a-z0-9./_-]{1,12}$/)
  const some = fc.uniqueArray(word, { minLength: 1, maxLength: 3 })
  const on = fc.option(fc.record({ pools: some, roles: some, zones: some, nodes: some }, { requiredKeys: ['pools'] }), {
    nil: undefined,
  })
  const labels = fc.dictionary(word, word, { minKeys: 1, maxKeys: 3, noNullPrototype: true })
  const expression = fc.record({
    aggregate: fc.constantFrom(...AGGREGATES),
    measure: fc.constantFrom(...(Object.keys(MEASURES) as MeasureName[])),
    overMs: fc.integer({ min: 60, max: 3_600 }).map((seconds) => seconds * 1_000),
    comparison: fc.constantFrom(...COMPARISONS),
    limit: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((hundredths) => hundredths / 100),
    scope: fc.constantFrom('host', 'container', 'workload'),
    labels,
    on,
  })

  it('reads again to the same as it is written', () => {
    fc.assert(
      fc.property(expression, (one) => {
        const rule = { ...one, labels: one.scope === 'host' ? {} : one.labels } as MeasureExpression
        expect(readExpression(writeExpression(rule))).toEqual(rule)
      }),
    )
  })

  it('is never anything but a rule or an error with a place in the text', () => {
    const pieces = fc.constantFrom(
      'avg',
      '(',
      'memory',
      ')',
      'over',
      '5m',
      '>',
      '80',
      'of',
      'on',
      'pool=x',
      ',',
      '节点',
      '\ud800',
      '=',
      ' ',
    )
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 16 }).map((all) => all.join(' ')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          readExpression(text)
        } catch (error) {
          expect(error).toBeInstanceOf(ExpressionError)
          const { column } = error as ExpressionError
          expect(column).toBeGreaterThan(0)
          expect(column).toBeLessThanOrEqual(text.length + 1)
        }
      }),
    )
  })
})
