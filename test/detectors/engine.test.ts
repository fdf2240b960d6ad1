import { describe, expect, it } from 'vitest'
import { UsageError } from '../../common/errors.ts'
import { type Detector, type Host, type LogWatch, NotApplicable } from '../../detectors/contract.ts'
import { startDetectors } from '../../detectors/engine/engine.ts'
import { fixtureHost } from './fixture-host.ts'
import { type Answer, scripted, start } from './scripted.ts'

describe('the detector engine', () => {
  it('looks at each interval, and reports after each look', async () => {
    const { clock, reports } = start([scripted('one', () => 1).detector])
    await clock.advance(25_000)
    expect(reports).toEqual(['1 one Ok *', '11 one Ok', '21 one Ok'])
  })

  it('spreads looks by chance, a tenth of the interval to either side', async () => {
    const { clock, reports } = start([scripted('one', () => 1).detector])
    clock.chance = 1
    await clock.advance(1_000)
    clock.chance = 0
    await clock.advance(20_000)
    expect(reports).toEqual(['1 one Ok *', '12 one Ok', '21 one Ok'])
  })

  it('sustains a fault and hands judge its past, newest first', async () => {
    let value = 6
    const { clock, reports, engine } = start([scripted('one', () => value++).detector])
    await clock.advance(21_000)
    expect(reports).toEqual(['1 one Ok *', '11 one Ok', '21 one TooHigh *'])
    expect((await engine.runNow('one'))[0]?.summary).toBe('9 8 7 6')
  })

  it('answers runNow with what is seen now, sustained or not', async () => {
    let value = 9
    const { clock, reports, engine } = start([scripted('one', () => value).detector])
    await clock.advance(1_000)
    expect((await engine.runNow('one')).map(({ reason }) => reason)).toEqual(['TooHigh'])
    value = 1
    expect((await engine.runNow('one')).map(({ reason }) => reason)).toEqual(['Ok'])
    expect(reports).toEqual(['1 one Ok *', '1 one Ok', '1 one Ok'])
  })

  it('lets go of the logs of a detector that is switched off, and of all when it stops', async () => {
    const watch = { source: { kind: 'kmsg' }, patterns: [], holdMs: 1_000 } as const
    const gone: LogWatch[] = []
    const host: Host = { ...fixtureHost('empty'), log: async () => [], letGo: (watch) => void gone.push(watch) }
    const [one, two] = ['one', 'two'].map((name): Detector => {
      const touches = { paths: ['/dev/kmsg'] }
      const sample: Detector['sample'] = async (host, _, signal) => (await host.log(watch, signal)).length
      return { ...scripted(name, () => 1).detector, touches, sample }
    })
    if (one === undefined || two === undefined) throw new Error('two were made')
    const { clock, engine, stop } = start([one, two], {}, { host })
    await clock.advance(1_000)
    engine.reconfigure({ one: { enabled: false } })
    expect(gone).toEqual([watch])
    stop.abort()
    await engine.stopped
    expect(gone).toEqual([watch, watch])
  })

  it('rejects runNow of what does not exist or is off', async () => {
    const { engine } = start([scripted('one', () => 1).detector], { one: { enabled: false } })
    await expect(engine.runNow('two')).rejects.toThrow('there is no detector two')
    await expect(engine.runNow('one')).rejects.toThrow('switched off')
  })

  it('glimpses through another host, after the look in progress, without a past, and reports nothing of it', async () => {
    let value = 6
    const one = scripted('one', () => value++)
    const { clock, reports, engine } = start([
      { ...one.detector, sample: async (host) => (host.node === 'other' ? 99 : value++) } as Detector,
    ])
    await clock.advance(11_000)
    const before = [...reports]
    const glimpse = await engine.glimpse('one', { ...fixtureHost('empty'), node: 'other' })
    expect(glimpse).toMatchObject({ kind: 'judged', judgements: [{ reason: 'TooHigh', summary: '99' }] })
    expect(reports).toEqual(before)
    expect((await engine.runNow('one'))[0]?.summary).toBe('8 7 6')
    await expect(engine.glimpse('two', fixtureHost('empty'))).rejects.toThrow('there is no detector two')
  })

  it('waits with a glimpse until a look has ended, and holds one that hangs against the next look', async () => {
    let answer: Answer = 'ignore-abort'
    const one = scripted('one', () => answer)
    const { clock, engine } = start([one.detector])
    const glimpse = engine.glimpse('one', fixtureHost('empty'))
    await clock.advance(3_000)
    expect(await glimpse).toEqual({ kind: 'failed', why: 'no answer within 2s' })
    answer = 1
    expect((await engine.runNow('one'))[0]?.summary).toContain('still hangs')
    one.release()
    await clock.advance(10_000)
    expect((await engine.runNow('one'))[0]?.reason).toBe('Ok')
  })

  it('keeps a detector that throws, hangs or judges nonsense away from the others', async () => {
    const broken = scripted('broken', () => new Error('EIO'))
    const absent = scripted('absent', () => new NotApplicable('no such thing'))
    const hanging = scripted('hanging', () => 'hang')
    const stray: Detector = {
      ...scripted('stray', () => 9).detector,
      judge: () => [{ reason: 'Other', summary: '', evidence: [] }],
    }
    const throwing: Detector = {
      ...scripted('throwing', () => 9).detector,
      sample: () => {
        throw new Error('at once')
      },
    }
    const fine = scripted('fine', () => 1)
    const all = [broken.detector, absent.detector, hanging.detector, stray, throwing, fine.detector]
    const { clock, reports } = start(all)
    await clock.advance(14_000)
    expect(reports.filter((line) => line.startsWith('1 ') || line.startsWith('3 ')).toSorted()).toEqual([
      '1 absent NotApplicable *',
      '1 broken ProbeFailed *',
      '1 fine Ok *',
      '1 stray ProbeFailed *',
      '1 throwing ProbeFailed *',
      '3 hanging ProbeFailed *',
    ])
    expect(reports).toContain('11 fine Ok')
  })

  it('says why it could not look', async () => {
    const { clock, engine } = start([scripted('broken', () => new Error('/proc/x cannot be read: EIO')).detector])
    await clock.advance(1_000)
    expect((await engine.runNow('broken'))[0]).toMatchObject({
      status: 'unknown',
      summary: '/proc/x cannot be read: EIO',
    })
  })

  it('says which version of the detector it is: its own, or that of the program', async () => {
    const plugin: Detector = { ...scripted('plugin', () => 1).detector, version: `7.0.0-${'x'.repeat(100)}` }
    const { engine } = start([scripted('builtin', () => 1).detector, plugin])
    expect((await engine.runNow('builtin'))[0]?.version).toBe('1.2.3')
    expect((await engine.runNow('plugin'))[0]?.version).toMatch(/^7\.0\.0-x{56}…$/)
  })

  it('cuts to size what a detector says, and takes what is no judgement for a failure', async () => {
    const long = {
      reason: 'TooHigh',
      cause: 'c'.repeat(1_000),
      summary: 's'.repeat(10_000),
      evidence: Array(100).fill({ name: 'n'.repeat(1_000), value: 'v'.repeat(1_000), unit: '' }),
    }
    const talker: Detector = { ...scripted('talker', () => 9).detector, judge: () => [long] }
    const rubbish: Detector = {
      ...scripted('rubbish', () => 9).detector,
      judge: () => [{ reason: 'TooHigh' } as never],
    }
    const failure: Detector = { ...scripted('failure', () => new Error('e'.repeat(10_000))).detector }
    const { engine } = start([talker, rubbish, failure])
    expect(JSON.stringify(await engine.runNow('talker')).length).toBeLessThan(20_000)
    expect((await engine.runNow('rubbish'))[0]?.reason).toBe('ProbeFailed')
    expect((await engine.runNow('failure'))[0]?.summary).toHaveLength(500)
  })

  it('starts no second look while one that ignores its signal hangs', async () => {
    const answers: Answer[] = ['ignore-abort', 1, 1]
    const stuck = scripted('stuck', () => answers.shift() ?? 1)
    const { clock, reports, engine } = start([stuck.detector])
    await clock.advance(15_000)
    expect(stuck.calls()).toBe(1)
    expect((await engine.runNow('stuck'))[0]?.summary).toBe('a look begun 14s ago still hangs')
    stuck.release()
    await clock.advance(10_000)
    expect(stuck.calls()).toBe(2)
    expect(reports.at(-1)).toBe('23 stuck Ok *')
  })

  it('never looks twice at a time', async () => {
    const slow = scripted('slow', () => 'hang')
    const { clock, engine } = start([slow.detector])
    await clock.advance(1_000)
    const asked = engine.runNow('slow')
    await clock.advance(1_000)
    expect(slow.calls()).toBe(1)
    slow.release()
    await clock.advance(2_000)
    expect(slow.calls()).toBe(2)
    expect((await asked)[0]?.reason).toBe('ProbeFailed')
  })

  it('goes on when a report is not taken', async () => {
    const full = () => {
      throw new Error('full')
    }
    const { clock, reports } = start([scripted('one', () => 1).detector], {}, { onReport: full, onLook: full })
    await clock.advance(11_000)
    expect(reports).toHaveLength(2)
  })

  it('stops: gives up the look in progress, and says nothing more', async () => {
    const { clock, reports, stop, engine } = start([
      scripted('hanging', () => 'ignore-abort').detector,
      scripted('fine', () => 1).detector,
    ])
    await clock.advance(1_000)
    stop.abort()
    await engine.stopped
    await clock.advance(60_000)
    expect(reports).toEqual(['1 fine Ok *'])
  })

  it('does not start at all when it is stopped before', async () => {
    const one = scripted('one', () => 1)
    const engine = startDetectors({
      host: fixtureHost('empty'),
      detectors: [one.detector],
      version: '1.2.3',
      options: {},
      onReport: () => {},
      signal: AbortSignal.abort(),
    })
    await engine.stopped
    expect(one.calls()).toBe(0)
  })
})

describe('settings of detectors', () => {
  it('change the interval and the options', async () => {
    const { clock, reports } = start([scripted('one', () => 3).detector], {
      one: { every: '20s', options: { limit: 2 } },
    })
    await clock.advance(21_000)
    expect(reports).toEqual(['1 one Ok *', '21 one TooHigh *'])
  })

  it('take effect at once', async () => {
    const one = scripted('one', () => 1)
    const { clock, reports, engine } = start([one.detector])
    await clock.advance(1_000)
    engine.reconfigure({ one: { every: '1m' } })
    await clock.advance(60_000)
    expect(reports).toEqual(['1 one Ok *', '1 one Ok', '61 one Ok'])
  })

  it('leave a detector alone for which they say the same as before', async () => {
    const { clock, reports, engine } = start([scripted('one', () => 1).detector], { one: { every: '20s' } })
    await clock.advance(2_000)
    engine.reconfigure({ one: { every: '20s', enabled: true, options: {} } })
    await clock.advance(20_000)
    expect(reports).toEqual(['1 one Ok *', '21 one Ok'])
  })

  it('take effect right after a look that was in progress', async () => {
    const slow = scripted('slow', () => (slow.calls() === 1 ? 'hang' : 9))
    const { clock, reports, engine } = start([slow.detector])
    await clock.advance(1_000)
    engine.reconfigure({ slow: { every: '20s', options: { limit: 2 } } })
    slow.release()
    await clock.advance(20_000)
    expect(reports).toEqual(['1 slow Ok *', '1 slow Ok', '21 slow TooHigh *'])
  })

  it('switch off with one empty report, and on again', async () => {
    const { clock, reports, engine } = start([scripted('one', () => 1).detector])
    await clock.advance(1_000)
    engine.reconfigure({ one: { enabled: false } })
    await clock.advance(30_000)
    engine.reconfigure({})
    await clock.advance(1_000)
    expect(reports).toEqual(['1 one Ok *', '1 one  *', '31 one Ok *'])
  })

  it('do not report what a look saw that was in progress when they switched it off', async () => {
    const slow = scripted('slow', () => 'hang')
    const { clock, reports, engine } = start([slow.detector])
    await clock.advance(1_000)
    engine.reconfigure({ slow: { enabled: false } })
    slow.release()
    await clock.advance(1_000)
    expect(reports).toEqual(['1 slow  *'])
  })

  it('leave everything as it was when they are not valid', async () => {
    const { clock, reports, engine } = start([scripted('one', () => 1).detector])
    await clock.advance(1_000)
    expect(() => engine.reconfigure({ one: { every: '0s' } })).toThrow(UsageError)
    await clock.advance(10_000)
    expect(reports).toEqual(['1 one Ok *', '11 one Ok'])
  })

  it.each([
    [{ onne: {} }, 'detectors: unknown key "onne"', 'did you mean "one"?'],
    [{ one: { enable: true } }, 'detectors.one: unknown key "enable"', 'did you mean "enabled"?'],
    [{ one: { options: { limmit: 1 } } }, 'detectors.one.options: unknown key "limmit"', 'did you mean "limit"?'],
    [{ one: { options: { colour: 1 } } }, 'detectors.one.options: unknown key "colour"', 'valid keys: limit'],
    [{ one: { options: { limit: 'x' } } }, /^detectors\.one\.options\.limit: .*expected number/, undefined],
    [{ one: { every: 'often' } }, /^detectors\.one\.every: write a number/, undefined],
    [{ one: { every: '10ms' } }, /^detectors\.one\.every: must lie between 1s and 1d/, undefined],
    [{ one: 'on' }, /^detectors\.one: .*expected object/, undefined],
    [[], 'detectors must map names of detectors to their settings', undefined],
  ])('refuse %j, naming the place', (options, message, remedy) => {
    let thrown: unknown
    try {
      start([scripted('one', () => 1).detector], options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(UsageError)
    expect((thrown as UsageError).message).toMatch(message)
    expect((thrown as UsageError).remedy).toBe(remedy)
  })
})
