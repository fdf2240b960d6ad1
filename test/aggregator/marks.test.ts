/** What people see of marking: on the verdict that it is of, and on the node that it is on. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Chronicle } from '../../aggregator/chronicle.ts'
import { type Desired, desiredMarks, nothingDesired } from '../../aggregator/kubernetes/marking/desired.ts'
import type { MarkCause } from '../../aggregator/kubernetes/record.ts'
import { MarkStory } from '../../aggregator/mark-story.ts'
import { NodeMarks } from '../../aggregator/marks.ts'
import type { Journal } from '../../aggregator/model.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { Verdicts } from '../../aggregator/verdicts.ts'
import type { VerdictKind } from '../../mesh/core/model.ts'
import { type MarkingMode, readMarking } from '../../settings/marking.ts'
import { finding, verdict } from '../kubernetes/cases.ts'
import { event } from './event.ts'

const NOTHING = { ready: undefined, condition: false, taint: false, pods: 0, isAlive: false }
const ALL = { ...NOTHING, ready: 'undone', condition: true, pods: 30 } as const
const READY = 'Ready=False (StarlingNodeDown)'
const PODS = 'its pods not Ready'

let store: Journal
let story: MarkStory
beforeEach(() => {
  store = openJournal(':memory:')
  story = new MarkStory(new Chronicle(store, 'life.1', () => {}))
  const data = { verdictId: 'v-1', verdict: 'NodeDown', votes: [], needed: 2 }
  store.append(event('verdict/v-1', { kind: 'verdict', node: 'a', data }))
})
afterEach(() => store.close())

const of = (mode: MarkingMode, kind?: VerdictKind): MarkCause => ({
  node: 'a',
  verdict: undefined,
  desired: desiredMarks({ ...verdict(kind), findings: [] }, mode, readMarking()),
})
const nothing: MarkCause = { node: 'a', verdict: undefined, desired: nothingDesired('ready') }
const ofFinding = (mode: MarkingMode): MarkCause => ({
  node: 'a',
  verdict: undefined,
  desired: desiredMarks({ findings: [finding('RuntimeDown')], leaseSeconds: 40 }, mode, readMarking()),
})

/** As a new life of the aggregator reads them from its record. */
const onVerdict = () => new Verdicts(store).of('v-1')?.mark
const onNode = (...stands: readonly string[]) => new NodeMarks(store).of('a', (id) => stands.includes(id))

test('nothing is told of a verdict that nothing came of', () => {
  expect([onVerdict(), onNode('v-1')]).toEqual([undefined, undefined])
})

test('what was marked shows until it is undone, in which mode and since when', () => {
  story.marking(of('ready'))
  story.wrote(of('ready'), { ...NOTHING, ready: 'marked', condition: true, pods: 30 })
  const marked = { state: 'marked', mode: 'ready', effects: [READY, PODS, 'condition NodeDown'], withheld: '' }
  expect(onVerdict()).toEqual({ ...marked, since: expect.any(String) })
  // It is there, whatever stands behind it.
  expect(onNode()).toEqual(onVerdict())
  story.wrote(nothing, ALL)
  expect(onVerdict()).toMatchObject({ ...marked, state: 'undone', undoneAt: expect.any(String) })
  expect(onNode('v-1')).toBeUndefined()
})

test('of what would be marked the node shows as long as its verdict, or its finding, stands', () => {
  story.wouldMark(of('observe'))
  expect(onVerdict()).toMatchObject({ state: 'would-mark', mode: 'observe' })
  expect([onNode('v-1')?.state, onNode()?.state]).toEqual(['would-mark', undefined])
  story.wouldMark(ofFinding('observe'))
  expect(onNode('a/d/RuntimeDown#1')?.effects).toEqual(['condition FindingAlarm', 'taint RuntimeDown:NoSchedule'])
  expect([onNode()?.state, onVerdict()?.state]).toEqual([undefined, 'would-mark'])
})

test('what was withheld says why, until it is marked after all', () => {
  story.withheld(of('ready'), 'leaving: it is cordoned')
  expect(onVerdict()).toMatchObject({ state: 'withheld', withheld: 'leaving: it is cordoned' })
  story.marking(of('ready'))
  expect(onVerdict()).toMatchObject({ state: 'marked', withheld: '' })
})

test('of a mark without its taint the reason stays', () => {
  const whole = of('ready', 'Isolated')
  const withoutTaint: Desired = { ...whole.desired, taint: undefined }
  story.withheld(whole, '3 nodes have the taint already')
  story.marking({ ...whole, desired: withoutTaint })
  const mark = { state: 'marked', effects: ['condition Isolated'], withheld: '3 nodes have the taint already' }
  expect(onVerdict()).toMatchObject(mark)
})

test('a verdict that turns into Isolated gives up Ready and pods, and stays marked', () => {
  story.marking(of('ready'))
  const isolated = of('ready', 'Isolated')
  story.marking(isolated)
  story.wrote(isolated, ALL)
  const effects = ['condition Isolated', 'taint Isolated:NoSchedule']
  expect(onVerdict()).toMatchObject({ state: 'marked', effects })
  expect(onNode()).toMatchObject({ state: 'marked', effects })
  story.wrote(nothing, { ...NOTHING, condition: true, taint: true })
  expect([onVerdict()?.state, onNode()]).toEqual(['undone', undefined])
})

test('a finding that shows in place of a verdict ends its mark', () => {
  story.marking(of('ready'))
  story.marking(ofFinding('ready'))
  story.wrote(ofFinding('ready'), ALL)
  expect(onVerdict()?.state).toBe('undone')
  expect(onNode()?.effects).toEqual(['condition FindingAlarm', 'taint RuntimeDown:NoSchedule'])
})
