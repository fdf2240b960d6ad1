/** What should show of a verdict or a finding, by policy, and how it is read back. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { desiredMarks, nothingDesired } from '../../aggregator/kubernetes/marking/desired.ts'
import { formatEvidence, parseEvidence } from '../../aggregator/kubernetes/marking/evidence.ts'
import { poolOf } from '../../aggregator/kubernetes/marking/objects.ts'
import { markingPart, readMarking } from '../../settings/marking.ts'
import { finding, MARKING, verdict } from './cases.ts'
import { node } from './objects.ts'

describe('what should show', () => {
  test.each([
    ['ready', 'NodeDown', 'StarlingNodeDown', true, undefined],
    ['ready', 'HostHung', 'StarlingHostHung', true, undefined],
    ['ready', 'Isolated', undefined, false, 'Isolated'],
    ['condition', 'NodeDown', undefined, false, undefined],
    ['condition', 'Isolated', undefined, false, 'Isolated'],
    ['observe', 'NodeDown', 'StarlingNodeDown', true, undefined],
  ] as const)('in mode %s for %s: Ready %s, pods %s, taint %s', (mode, kind, ready, pods, taint) => {
    const desired = desiredMarks(verdict(kind), mode, MARKING)
    expect(desired).toMatchObject({ mode, ready, pods, taint, againInMs: undefined })
    expect(desired.condition?.reason).toBe(kind)
  })

  test('each hold is counted from its own beginning', () => {
    const marking = readMarking({ holds: { endpoints: '3s', nodeReady: '10s', hung: '20s' } })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 2_000 }), 'ready', marking)).toMatchObject({
      ready: undefined,
      pods: false,
      condition: { reason: 'NodeDown' },
      againInMs: 1_000,
    })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 3_000 }), 'ready', marking)).toMatchObject({
      ready: undefined,
      pods: true,
      againInMs: 7_000,
    })
    expect(desiredMarks(verdict('NodeDown', { stoodMs: 10_000 }), 'ready', marking)).toMatchObject({
      ready: 'StarlingNodeDown',
      againInMs: undefined,
    })
    expect(desiredMarks(verdict('HostHung', { silentMs: 12_000 }), 'condition', marking)).toEqual({
      ...nothingDesired('condition'),
      againInMs: 8_000,
    })
  })

  test('a hung host must have missed one and a half renewals of its Lease', () => {
    const hung = verdict('HostHung', { silentMs: 12_000 })
    expect(desiredMarks(hung, 'ready', MARKING)).toMatchObject({ condition: undefined, againInMs: 3_000 })
    expect(desiredMarks({ ...hung, leaseSeconds: 20 }, 'ready', MARKING)).toMatchObject({ ready: 'StarlingHostHung' })
  })

  test.each([
    [[], undefined, undefined],
    [['ConntrackFilling', 'warn'], undefined, undefined],
    [['ConntrackAlmostFull', 'alarm'], 'FindingAlarm', 'ConntrackAlmostFull'],
    [['KubeletDown', 'alarm'], 'KubeletDown', 'KubeletDown'],
    [['KubeletDown', 'unknown'], undefined, undefined],
    [['LinkFault', 'alarm'], 'FindingAlarm', undefined],
    [['ClockUnusable', 'error'], 'FindingError', 'ClockUnusable'],
    [['ClockUnusable', 'unknown'], undefined, undefined],
    [['DiskAlmostFull', 'error'], undefined, undefined],
    [['SomethingElse', 'alarm'], 'FindingAlarm', undefined],
  ] as const)('a finding %j shows as %s with taint %s', (said, reason, taint) => {
    const findings = said.length === 0 ? [] : [finding(said[0], said[1])]
    const desired = desiredMarks({ findings, leaseSeconds: 40 }, 'ready', MARKING)
    expect([desired.condition?.reason, desired.taint]).toEqual([reason, taint])
    expect([desired.ready, desired.pods]).toEqual([undefined, false])
  })

  test('of several findings the one that keeps pods away is named, then the worst', () => {
    const findings = [finding('Aaa', 'error'), finding('ConntrackAlmostFull', 'alarm'), finding('Bbb', 'error')]
    const { condition, taint } = desiredMarks({ findings, leaseSeconds: 40 }, 'condition', MARKING)
    expect(condition).toMatchObject({ reason: 'FindingAlarm', says: expect.stringContaining('(and 2 more)') })
    expect(taint).toBe('ConntrackAlmostFull')
  })

  test('what stands behind it is the finding of a detector, or of the mesh', () => {
    const causeOf = (detector: string) => {
      const findings = [{ ...finding('KubeletDown'), detector }]
      return desiredMarks({ findings, leaseSeconds: 40 }, 'condition', MARKING).condition?.cause
    }
    const { id } = finding('KubeletDown')
    expect(causeOf('kubelet-process')).toEqual({ kind: 'finding', id })
    expect(causeOf('mesh')).toEqual({ kind: 'diagnosis', id, reason: 'KubeletDown' })
  })

  test("policy is the settings' where they say something", () => {
    const marking = readMarking({
      taints: { NodeDown: 'NoSchedule', Isolated: 'none', Aaa: 'none', DiskAlmostFull: 'condition' },
    })
    expect(desiredMarks(verdict(), 'condition', marking).taint).toBe('NodeDown')
    expect(desiredMarks(verdict('Isolated'), 'condition', marking)).toEqual(nothingDesired('condition'))
    const findings = [finding('Aaa'), finding('DiskAlmostFull')]
    expect(desiredMarks({ findings, leaseSeconds: 40 }, 'ready', marking)).toMatchObject({
      condition: { says: expect.stringMatching(/^DiskAlmostFull/) },
      taint: undefined,
    })
  })

  test('a verdict takes nothing away that findings want', () => {
    const findings = [finding('ReadOnlyFilesystem')]
    const byFindings = desiredMarks({ findings, leaseSeconds: 40 }, 'ready', MARKING)
    const isolated = readMarking({ taints: { Isolated: 'none' } })
    expect(desiredMarks({ ...verdict('Isolated'), findings }, 'ready', isolated)).toEqual(byFindings)
    expect(desiredMarks({ ...verdict('NodeDown'), findings }, 'ready', MARKING)).toMatchObject({
      ...{ ready: 'StarlingNodeDown', condition: { reason: 'NodeDown' }, taint: 'ReadOnlyFilesystem' },
    })
    const notYet = desiredMarks({ ...verdict('HostHung', { silentMs: 10_000 }), findings }, 'ready', MARKING)
    expect(notYet).toEqual({ ...byFindings, againInMs: 5_000 })
  })

  test('the mode is that of the pool, then the general one, then observe', () => {
    const marking = readMarking({ mode: 'condition', pools: { gpu: { mode: 'ready' } } })
    expect([marking.modeOf('gpu'), marking.modeOf('web'), marking.modeOf(undefined)]).toEqual([
      'ready',
      'condition',
      'condition',
    ])
    expect(MARKING.modeOf('gpu')).toBe('observe')
    expect(poolOf(node('a', { labels: { 'starling.mesh/pool': 'x', 'karpenter.sh/nodepool': 'y' } }))).toBe('x')
    expect(poolOf(node('a'))).toBeUndefined()
  })

  test.each([
    [{ mode: 'redy' }],
    [{ mode: 'auto' }],
    [{ pools: { gpu: { mode: 'mark' } } }],
    [{ holds: { hung: '10' } }],
    [{ holds: { hung: '2h' } }],
    [{ holds: { node: '1s' } }],
    [{ taints: { NodeDown: 'NoExecute' } }],
    [{ taints: { 'node-down': 'none' } }],
    [{ modes: 'ready' }],
  ])('%j is refused', (settings) => {
    expect(markingPart.safeParse(settings).success).toBe(false)
  })
})

describe('the message of our condition', () => {
  test.each([
    ['NodeDown', true],
    ['HostHung', false],
    ['Isolated', false],
  ] as const)('is read back: %s, Ready written: %s', (kind, isReadyWritten) => {
    const evidence = {
      says: `${kind}: 8 of 10 [observers] agree`,
      id: 'term 7/n once',
      term: 7,
      verdict: { kind, incarnation: { serial: 3, boot: 2, refutations: 1 }, isReadyWritten },
      until: '2026-01-02T03:04:05Z',
    }
    expect(parseEvidence(formatEvidence(evidence))).toEqual(evidence)
  })

  test('of anybody else is none', () => {
    for (const message of [undefined, '', 'all is well', 'x [verdict=a term=b until=c]']) {
      expect(parseEvidence(message)).toBeUndefined()
    }
  })

  test('can be read back whatever the words are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.nat(), (says, id, term) => {
        const until = '2026-01-02T03:04:05Z'
        const read = parseEvidence(formatEvidence({ says, id: id.toWellFormed(), term, until }))
        expect(read).toMatchObject({ id: id.toWellFormed(), term, until })
      }),
    )
  })
})
