/** The `alerting` part of the settings: its defaults and its refusals. */
import { describe, expect, it } from 'vitest'
import { alertingPart, readAlerting } from '../../../settings/alerting.ts'

const WHEN = 'avg(memory) over 5m > 80'

describe('the alerting settings', () => {
  it('tell of alarms, errors and the mesh where nothing is said, and nobody', () => {
    const { rules, builtIn, routes } = readAlerting()
    expect(rules).toMatchObject([{ over: { kind: 'findings', severities: ['alarm', 'error'] }, forMs: 0 }])
    expect(builtIn).toMatchObject({ NodeDown: 'error', SingleCopy: 'warn' })
    expect(routes).toEqual([])
  })

  it('hold a value for well only when it is well within the limit', () => {
    const clear = (rule: object) => {
      const [read] = readAlerting(alertingPart.parse({ rules: [{ name: 'memory', ...rule }] })).rules
      return read?.over.kind === 'measures' ? read.over.clear : undefined
    }
    expect(clear({ when: WHEN })).toBe(76)
    expect(clear({ when: 'avg(memory) over 5m < 80' })).toBe(84)
    expect(clear({ when: WHEN, clear: 60 })).toBe(60)
  })

  it.each([
    [{ rules: [{ name: 'a', when: 'avg(memry) over 5m > 80' }] }, 'at character 5'],
    [{ rules: [{ name: 'a' }] }, 'give when or findings'],
    [{ rules: [{ name: 'a', when: WHEN, findings: {} }] }, 'give when or findings'],
    [{ rules: [{ name: 'a', when: WHEN, clear: 90 }] }, 'beyond the limit'],
    [{ rules: [{ name: 'a', findings: {}, clear: 1 }] }, 'clear is for'],
    [
      {
        rules: [
          { name: 'a', findings: {} },
          { name: 'a', findings: {} },
        ],
      },
      'same name',
    ],
    [{ rules: [{ name: 'A b', findings: {} }] }, 'lower-case'],
    [{ rules: [{ name: 'a', findings: {}, for: '2d' }] }, 'between 0s and 1d'],
    [{ routes: [{ sinks: [] }] }, 'sinks'],
    [{ routes: [{ sinks: ['x'], repeat: '1m' }] }, 'between 5m and 7d'],
    [{ routes: [{ sinks: ['x'], language: 'de' }] }, 'language'],
    [{ routes: [{ sinks: ['x'], zone: 'Asia/Shangai' }] }, 'did you mean'],
    [{ builtIn: { NodeUp: 'off' } }, 'NodeUp'],
    [{ builtIn: { NodeDown: 'fatal' } }, 'NodeDown'],
    [{ silences: { longest: '400d' } }, 'longest'],
  ])('%j is refused', (settings, message) => {
    const { success, error } = alertingPart.safeParse(settings)
    expect(success).toBe(false)
    expect(JSON.stringify(error?.issues)).toContain(message)
  })
})
