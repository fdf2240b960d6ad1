/** What rules see: in findings and verdicts, in measures, and what of it lasts. */
import { describe, expect, it } from 'vitest'
import { NOTHING_FOUND } from '../../../aggregator/alerting/found.ts'
import { firing, type Holding, hold } from '../../../aggregator/alerting/holding.ts'
import { lookAtMeasures } from '../../../aggregator/alerting/measured.ts'
import type { Symptom } from '../../../aggregator/alerting/model.ts'
import { lookAt } from '../../../aggregator/alerting/symptoms.ts'
import { sentenceOf } from '../../../aggregator/alerting/texts.ts'
import type { MeasureAverage, PodLabel } from '../../../aggregator/measures/source.ts'
import { alertingPart, readAlerting } from '../../../settings/alerting.ts'
import { finding, member, present, symptom, symptomsIn, T0 } from './samples.ts'

const NOTHING = { averages: () => [], missing: () => undefined }

describe('rules over findings', () => {
  const members = [member('w1'), member('w2', 'b', 'alive', 'gpu'), member('gone', 'a', 'left')]

  it('see alarms and errors of members, whatever stands for other rules', () => {
    const findings = [
      finding('w1', 'DiskAlmostFull'),
      finding('w1', 'DiskFilling', 'warn'),
      finding('w1', 'Ok', 'ok'),
      finding('gone', 'DiskAlmostFull'),
      finding('nobody', 'DiskAlmostFull'),
    ]
    expect(symptomsIn({ members, findings })).toMatchObject([
      { reason: 'DiskAlmostFull', at: { node: 'w1' }, rule: 'findings' },
    ])
  })

  it('choose by detector, reason, severity and node; the first that fits decides', () => {
    const rules = alertingPart.parse({
      rules: [
        { name: 'gpu', findings: { selector: { pools: ['gpu'] }, severities: ['warn', 'error'] }, for: '2m' },
        { name: 'disks', findings: { detectors: ['disk-usage'], reasons: ['DiskAlmostFull'] } },
      ],
    })
    const findings = [
      finding('w1', 'DiskAlmostFull'),
      finding('w2', 'DiskAlmostFull', 'error'),
      finding('w2', 'LinkSlow', 'warn', { detector: 'net' }),
      finding('w1', 'LinkSlow', 'error', { detector: 'net' }),
    ]
    const seen = symptomsIn({ members, findings }, rules).map(({ rule, reason, at, forMs }) => [
      rule,
      reason,
      at?.node,
      forMs,
    ])
    expect(seen).toEqual([
      ['disks', 'DiskAlmostFull', 'w1', 0],
      ['gpu', 'DiskAlmostFull', 'w2', 120_000],
      ['gpu', 'LinkSlow', 'w2', 120_000],
    ])
  })

  it('see the same of a finding until it, its rule or its node is another', () => {
    const findings = [finding('w1', 'DiskAlmostFull')]
    let found = NOTHING_FOUND
    let alerting = readAlerting()
    const see = (settings = {}, of: readonly ReturnType<typeof member>[] = members, said = findings) => {
      if (Object.keys(settings).length > 0) alerting = readAlerting(settings)
      const look = lookAt(present({ members: of, findings: said }), alerting, found)
      found = look.found
      return look.bad[0]
    }
    const first = see()
    expect(see()).toBe(first)
    const again = { observedAt: new Date(T0 + 60_000).toISOString() }
    expect(see({}, members, [finding('w1', 'DiskAlmostFull', 'alarm', again)])).toBe(first)
    expect(see({}, members, [finding('w1', 'DiskAlmostFull', 'error', again)])).toMatchObject({ severity: 'error' })
    expect(see({}, members, [finding('w1', 'DiskAlmostFull', 'alarm', { summary: '93 %' })])?.said).toBe('93 %')
    const rules = alertingPart.parse({ rules: [{ name: 'mine', findings: {}, for: '2m' }] })
    expect(see(rules)).toMatchObject({ rule: 'mine', forMs: 120_000 })
    expect(see({}, [member('w1', 'b')])).toMatchObject({ rule: 'mine', at: { zone: 'b' } })
    expect(see({}, [member('w1', 'b', 'alive', 'gpu')])).toMatchObject({ at: { zone: 'b', pool: 'gpu' } })
  })

  it('do not tell apart what a hostile name would make one key', () => {
    const both = [
      finding('a/b', 'X', 'alarm', { cause: 'c' }),
      finding('a', 'X', 'alarm', { detector: 'b/disk-usage', cause: 'c' }),
    ]
    const seen = symptomsIn({ members: [member('a/b'), member('a')], findings: both })
    expect(new Set(seen.map(({ key }) => key)).size).toBe(2)
  })
})

describe('what the mesh says', () => {
  it('is told under its own names, unless it is turned off', () => {
    const more = {
      mesh: { frozen: '40 of 100 in question', blind: { why: 'two observers', subjects: ['x'] }, hasQuorum: false },
      members: [member('w1', 'a', 'NodeDown'), member('w2', 'b', 'AgentDown'), member('w3', 'b', 'suspected')],
      singleCopy: 'nobody stands by',
      undelivered: new Map([['ops', 'it hangs']]),
    }
    const reasons = symptomsIn(more).map(({ reason }) => reason)
    expect(reasons).toEqual(['Frozen', 'NoQuorum', 'Blind', 'SingleCopy', 'Undelivered', 'NodeDown', 'AgentDown'])
    expect(symptomsIn(more)[0]?.nodes).toEqual(['w1', 'w2', 'w3'])
    const [frozen] = symptomsIn(more)
    expect(frozen && sentenceOf(frozen, 'zh')).toBe('标记已冻结:40 of 100 in question。各可用区失联数:a: 1/1, b: 2/2')
    const off = symptomsIn(more, { builtIn: { Blind: 'off', SingleCopy: 'error' } })
    expect(off.map(({ reason, severity }) => `${reason} ${severity}`)).toContain('SingleCopy error')
    expect(off.map(({ reason }) => reason)).not.toContain('Blind')
  })
})

describe('rules over measures', () => {
  const members = [member('w1'), member('w2'), member('w3', 'b', 'alive', 'gpu')]
  const host = (node: string, value: number, coveredMs = 300_000): MeasureAverage => ({
    subject: { node, pool: 'web' },
    value,
    coveredMs,
  })
  const box = (node: string, app: string, value: number): MeasureAverage => {
    const container = { namespace: 'shop', pod: `${app}-${value}`, name: 'main', labels: { app } }
    return { subject: { node, pool: 'web', container }, value, coveredMs: 300_000 }
  }
  const look = (when: string, averages: readonly MeasureAverage[], why?: string) => {
    const alerting = readAlerting(alertingPart.parse({ rules: [{ name: 'rule', when }] }))
    const missing = ([label]: readonly PodLabel[]) => (label && why ? { key: label.key, why } : undefined)
    const { bad, neither, unjudged } = lookAtMeasures({ averages: () => averages, missing }, members, alerting)
    return {
      unjudged,
      bad: bad.map(({ at, cause, said }) => [at?.node, cause, typeof said === 'string' ? said : said.values.value]),
      neither: [...neither],
    }
  }

  it('judge each host by its average, and the edge is neither', () => {
    const { bad, neither } = look('avg(memory) over 5m > 80', [host('w1', 80.1), host('w2', 80), host('w3', 76)])
    expect(bad).toEqual([['w1', 'w1', '80.1 %']])
    expect(neither).toEqual(['measure/rule/w2'])
  })

  it('say nothing of hosts that said nothing, or too little', () => {
    const { bad, neither } = look('avg(memory) over 5m > 80', [host('w1', 99, 149_000)])
    expect(bad).toEqual([])
    expect(neither).toEqual(['measure/rule/w1', 'measures-of/rule/w2', 'measures-of/rule/w3'])
  })

  it('are for the chosen hosts only', () => {
    expect(look('avg(memory) over 5m > 80 on pool=gpu', [host('w1', 99), host('w3', 99)]).bad).toEqual([
      ['w3', 'w3', '99 %'],
    ])
  })

  it.each([
    ['max(memory) over 5m > 80', '90 %'],
    ['min(memory) over 5m < 20', '10 %'],
    ['sum(memory) over 5m > 140', '150 %'],
    ['count(memory) over 5m <= 3', '3'],
  ])('%s is one figure of all', (when, value) => {
    const { bad } = look(when, [host('w1', 90), host('w2', 10), host('w3', 50)])
    expect(bad).toEqual([[undefined, '', value]])
  })

  it('make no figure of all where most said nothing', () => {
    const nothing = { bad: [], neither: ['measure/rule/'], unjudged: [] }
    expect(look('max(memory) over 5m > 80', [host('w1', 90)])).toEqual(nothing)
    expect(look('count(memory) over 5m < 5', [])).toEqual(nothing)
  })

  it('add a workload up over the mesh', () => {
    const all = [box('w1', 'shop', 30), box('w2', 'shop', 40), box('w3', 'shop', 15), box('w3', 'other', 90)]
    expect(look('avg(memory) over 5m > 80 of workload app=shop', all).bad).toEqual([[undefined, '', '85 %']])
    expect(look('avg(memory) over 5m > 80 of workload app=shop on pool=web', all).bad).toEqual([])
    expect(look('avg(memory) over 5m > 80 of container', all).bad).toEqual([['w3', 'w3 shop/other-90/main', '90 %']])
    expect(look('count(memory) over 5m < 1 of workload constructor=x', all).bad).toEqual([[undefined, '', '0']])
    // What is not there uses neither much nor little.
    for (const aggregate of ['avg', 'sum', 'max', 'min'])
      expect(look(`${aggregate}(memory) over 5m < 5 of workload constructor=x`, all).bad).toEqual([])
  })
})

describe('rules with a label of pods that is not known', () => {
  const members = [member('w1'), member('w2')]
  const when = (scope: string) => ({ rules: [{ name: 'rule', when: `avg(memory) over 5m < 5 of ${scope} app=shop` }] })
  const box = { namespace: 'shop', pod: 'api', name: 'main', labels: { app: 'shop' } }
  const averages = () => [{ subject: { node: 'w1', pool: 'web', container: box }, value: 1, coveredMs: 300_000 }]
  const look = (scope: string, why: string | undefined) => {
    const missing = () => (why === undefined ? undefined : { key: 'app', why })
    return lookAtMeasures({ averages, missing }, members, readAlerting(alertingPart.parse(when(scope))))
  }

  it.each(['container', 'workload'])('of a %s neither fire nor are over: what fires goes on', (scope) => {
    const holding = hold(new Map(), look(scope, undefined), T0)
    expect(firing(holding)).toHaveLength(1)
    const missing = look(scope, 'no right')
    expect(missing).toMatchObject({ bad: [], unjudged: [{ rule: 'rule', label: 'app', why: 'no right' }] })
    const later = hold(holding, missing, T0 + 3_600_000)
    expect(firing(hold(later, missing, T0 + 7_200_000))).toHaveLength(1)
    expect(firing(hold(new Map(), missing, T0))).toEqual([])
  })

  it('are told of, one by one, once the label had the time to become known', () => {
    const unjudged = [
      { rule: 'shop', label: 'app', why: 'no right' },
      { rule: 'books', label: 'tier', why: 'no right' },
    ]
    const bad = symptomsIn({ unjudged })
    expect(bad).toMatchObject([
      { reason: 'LabelUnknown', severity: 'warn', cause: 'shop' },
      { reason: 'LabelUnknown', severity: 'warn', cause: 'books' },
    ])
    const text = 'rule shop says nothing: label app of pods is not known: no right'
    expect(bad[0] && sentenceOf(bad[0], 'en')).toBe(text)
    const look = { bad, neither: new Set<string>() }
    const first = hold(new Map(), look, T0)
    expect(firing(first)).toEqual([])
    expect(firing(hold(first, look, T0 + 120_000))).toHaveLength(2)
    expect(symptomsIn({ unjudged }, { builtIn: { LabelUnknown: 'off' } })).toEqual([])
  })
})

describe('what lasts', () => {
  const WAITS = symptom('w1', 'Slow', { forMs: 60_000, clearAfterMs: 60_000 })
  const BAD = { bad: [WAITS], neither: new Set<string>() }
  const FINE = { bad: [], neither: new Set<string>() }
  const UNKNOWN = { bad: [], neither: new Set(WAITS.origins) }
  /** A look each 30 s: whether it fires after each. */
  const course = (...looks: readonly (typeof BAD)[]) => {
    let holding: Holding = new Map()
    return looks.map((look, index) => {
      holding = hold(holding, look, T0 + index * 30_000)
      return firing(holding).length
    })
  }

  it('fires when it was bad for long enough, and not when it only comes back now and then', () => {
    expect(course(BAD, BAD, BAD)).toEqual([0, 0, 1])
    expect(course(BAD, FINE, BAD, FINE, BAD, BAD)).toEqual([0, 0, 0, 0, 0, 0])
    expect(course(BAD, UNKNOWN, BAD)).toEqual([0, 0, 0])
  })

  it('is over when it was well for long enough; what is not known is neither', () => {
    expect(course(BAD, BAD, BAD, FINE, FINE, FINE)).toEqual([0, 0, 1, 1, 1, 0])
    expect(course(BAD, BAD, BAD, FINE, BAD, FINE, FINE, FINE)).toEqual([0, 0, 1, 1, 1, 1, 1, 0])
    expect(course(BAD, BAD, BAD, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)).toEqual([0, 0, 1, 1, 1, 1, 1])
    expect(course(BAD, BAD, BAD, FINE, UNKNOWN, FINE, FINE, FINE)).toEqual([0, 0, 1, 1, 1, 1, 1, 0])
  })

  it('is the very same while the same is said again, or is not known of any more', () => {
    const others = [symptom('w1', 'Slow'), symptom('w2', 'Slow'), symptom('w3', 'Slow')]
    const look = (bad: readonly Symptom[], neither: readonly string[] = []) => ({ bad, neither: new Set(neither) })
    const first = hold(new Map(), look(others), T0)
    expect(hold(first, look(others.map((one) => ({ ...one }))), T0 + 1_000)).toBe(first)
    const [one, two, three] = others
    if (one === undefined || two === undefined || three === undefined) throw new Error('there are three')
    const silent = hold(first, look([two, three], one.origins), T0 + 1_000)
    expect(hold(silent, look([two, three], one.origins), T0 + 2_000)).toBe(silent)
    expect(firing(silent)).toHaveLength(3)
    expect(firing(hold(silent, look([two, three]), T0 + 3_000))).toEqual([two, three])
    const graver = hold(first, look([one, two, { ...three, severity: 'error' }]), T0 + 1_000)
    expect(firing(graver).map(({ severity }) => severity)).toEqual(['alarm', 'alarm', 'error'])
    expect(firing(hold(first, look([one, two]), T0 + 1_000))).toEqual([one, two])
  })

  it('does not flap at the edge of a limit', () => {
    const members = [member('w1')]
    const alerting = readAlerting(
      alertingPart.parse({ rules: [{ name: 'memory', when: 'avg(memory) over 5m > 80', clearAfter: '30s' }] }),
    )
    let holding: Holding = new Map()
    const fires = [79, 81, 79, 81, 79, 77, 75, 75, 77].map((value, index) => {
      const averages = [{ subject: { node: 'w1', pool: 'web' }, value, coveredMs: 300_000 }]
      holding = hold(
        holding,
        lookAtMeasures({ averages: () => averages, missing: () => undefined }, members, alerting),
        T0 + index * 15_000,
      )
      return firing(holding).length
    })
    expect(fires).toEqual([0, 1, 1, 1, 1, 1, 1, 1, 1])
    holding = hold(holding, lookAtMeasures(NOTHING, [], alerting), T0 + 1_000_000)
    holding = hold(holding, lookAtMeasures(NOTHING, [], alerting), T0 + 1_030_000)
    expect(firing(holding)).toEqual([])
  })

  it('of one detector that cannot look any more stays as it was', () => {
    const members = [member('w1')]
    const alerting = readAlerting()
    const at = (findings: Parameters<typeof present>[0]) => lookAt(present({ members, ...findings }), alerting)
    let holding = hold(new Map(), at({ findings: [finding('w1', 'DiskAlmostFull')] }), T0)
    holding = hold(holding, at({ findings: [finding('w1', 'Expired', 'unknown')] }), T0 + 1_000)
    expect(firing(holding)).toHaveLength(1)
    holding = hold(holding, at({ findings: [finding('w1', 'Ok', 'ok')] }), T0 + 2_000, false)
    expect(firing(holding)).toHaveLength(1)
    holding = hold(holding, at({ findings: [finding('w1', 'Ok', 'ok')] }), T0 + 3_000)
    expect(firing(holding)).toEqual([])
  })
})
