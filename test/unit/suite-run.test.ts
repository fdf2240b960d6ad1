import { describe, expect, test } from 'vitest'
import { countReport } from '../../scripts/suite-run.ts'

const file = (status: string, ...tests: string[]) => ({
  name: '/x.test.ts',
  status,
  assertionResults: tests.map((state, index) => ({ status: state, fullName: `test ${index}` })),
})

describe('counting a report', () => {
  test('counts tests and names the skipped ones', () => {
    const report = { testResults: [file('passed', 'passed', 'passed', 'pending'), file('failed', 'failed', 'passed')] }
    expect(countReport(report, 1, false)).toMatchObject({ passed: 3, failed: 1, skipped: ['test 2'] })
  })

  test('keeps what a failure said first, without colours', () => {
    const lines = Array.from({ length: 40 }, (_, index) => `\u001b[31mline ${index}\u001b[39m`)
    const failed = { status: 'failed', fullName: 'a mesh is whole', failureMessages: [lines.join('\n')] }
    const unloaded = { ...file('failed'), message: 'Cannot find module x' }
    const { failures } = countReport(
      { testResults: [{ ...file('failed'), assertionResults: [failed] }, unloaded] },
      1,
      false,
    )
    expect(failures.map(({ name }) => name)).toEqual(['a mesh is whole', '/x.test.ts'])
    expect(failures[0]?.message.split('\n')).toEqual(Array.from({ length: 12 }, (_, index) => `line ${index}`))
    expect(failures[1]?.message).toBe('Cannot find module x')
  })

  test('names what passed at the second try only, and counts it as passed', () => {
    const retried = { status: 'passed', fullName: 'a mesh is whole', failureMessages: ['waited for: whole'] }
    const counts = countReport({ testResults: [{ ...file('passed'), assertionResults: [retried] }] }, 0, false)
    expect(counts).toMatchObject({ passed: 1, failed: 0, failures: [] })
    expect(counts.unsteady).toEqual([{ name: 'a mesh is whole', message: 'waited for: whole' }])
  })

  test('does not call a test skipped that was not asked for', () => {
    expect(countReport({ testResults: [file('passed', 'passed', 'skipped')] }, 0, true).skipped).toEqual([])
  })

  test.each([
    ['a file that failed to load', { testResults: [file('failed'), file('passed', 'passed')] }, 1],
    ['a missing report', null, 1],
    ['an error outside of any test', { testResults: [file('passed', 'passed')] }, 1],
  ])('counts %s as a failure', (_name, report, exitCode) => {
    expect(countReport(report, exitCode, false).failed).toBe(1)
  })

  test('counts a file that failed to load beside a failed test', () => {
    expect(countReport({ testResults: [file('failed'), file('failed', 'failed')] }, 1, false).failed).toBe(2)
  })
})
