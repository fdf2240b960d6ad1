/** What marking made of each verdict, told from the events that it left. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Chronicle } from '../../aggregator/chronicle.ts'
import { type Desired, desiredMarks } from '../../aggregator/kubernetes/marking/desired.ts'
import { MarkStory } from '../../aggregator/mark-story.ts'
import { markingPlan } from '../../aggregator/marking-plan.ts'
import type { Journal } from '../../aggregator/model.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { readMarking } from '../../settings/marking.ts'
import { verdict } from '../kubernetes/cases.ts'
import { event } from './event.ts'

const WRITTEN = { ready: undefined, condition: false, taint: false, pods: 0, isAlive: false }

let store: Journal
let story: MarkStory
beforeEach(() => {
  store = openJournal(':memory:')
  story = new MarkStory(new Chronicle(store, 'life.1', () => {}))
})
afterEach(() => store.close())

const votes = ['silent', 'silent', 'alive', 'abstain'].map((opinion) => ({ opinion }))

function convict(id: string, at: string): Desired {
  const data = { verdictId: id, verdict: 'NodeDown', votes, needed: 2 }
  store.append(event(`verdict/${id}`, { kind: 'verdict', node: 'a', at, data }))
  const known = verdict().verdict
  if (known === undefined) throw new Error('a verdict')
  const standing = { ...known.standing, verdictId: id }
  return desiredMarks({ verdict: { ...known, standing }, findings: [], leaseSeconds: 40 }, 'ready', readMarking())
}

const causeOf = (desired: Desired) => {
  const standing = desired.condition?.cause.kind === 'verdict' ? desired.condition.cause.standing : undefined
  const verdict = standing && { standing, sinceMs: 0, silentSinceMs: 0, says: '' }
  return { node: 'a', verdict, desired }
}

test('each verdict is told with its length, votes, effect, and what Kubernetes did by itself', () => {
  const marked = convict('v-1', '2026-01-02T00:00:00.000Z')
  story.marking(causeOf(marked))
  story.markedByOthers(causeOf(marked))
  const over = { kind: 'recovered', node: 'a', at: '2026-01-02T00:01:10.000Z', data: { verdictId: 'v-1' } } as const
  store.append(event('over', over))
  story.wouldMark(causeOf(convict('v-2', '2026-01-03T00:00:00.000Z')))
  const withheld = causeOf(convict('v-3', '2026-01-04T00:00:00.000Z'))
  for (const why of ['leaving', 'leaving', 'it is the last Ready node']) story.withheld(withheld, why)
  convict('v-4', '2026-01-05T00:00:00.000Z')

  const plan = markingPlan(store, '2026-01-02T00:00:00.000Z')
  expect(plan.map(({ verdictId, effect }) => [verdictId, effect])).toEqual([
    ['v-1', 'marked'],
    ['v-2', 'would-mark'],
    ['v-3', 'withheld'],
    ['v-4', 'none'],
  ])
  expect(plan[0]).toMatchObject({
    node: 'a',
    kind: 'NodeDown',
    lengthMs: 70_000,
    votes: { silent: 2, alive: 1, abstained: 1, needed: 2 },
    stock: { afterMs: expect.any(Number) },
  })
  expect(plan[1]).toMatchObject({ endedAt: null, lengthMs: null, stock: null })
  expect(markingPlan(store, '2026-01-03T00:00:00.000Z').map(({ verdictId }) => verdictId)).toEqual([
    'v-2',
    'v-3',
    'v-4',
  ])
  expect(store.query({ kinds: ['mark-withheld'], limit: 10 }).map(({ summary }) => summary)).toEqual([
    'not marked: leaving',
    'not marked: it is the last Ready node',
  ])
})

test('a mark is caused by its verdict, its undoing by the mark, also in a later life; it is told once', () => {
  const cause = causeOf(convict('v-1', '2026-01-02T00:00:00.000Z'))
  story.marking(cause)
  story.marking(cause)
  story.wrote(cause, { ...WRITTEN, ready: 'marked', condition: true, pods: 30 })
  const later = new MarkStory(new Chronicle(store, 'life.2', () => {}))
  const nothing = { ...cause, verdict: undefined, desired: { ...cause.desired, ready: undefined, pods: false } }
  const desired = { ...nothing.desired, condition: undefined }
  later.wrote({ ...nothing, desired }, { ...WRITTEN, ready: 'undone', condition: true, pods: 28 })
  later.wrote({ ...nothing, desired }, WRITTEN)
  const told = store.query({ kinds: ['marked', 'undone'], limit: 10 })
  expect(told.map(({ kind, causedBy }) => [kind, causedBy])).toEqual([
    ['marked', 'verdict/v-1'],
    ['undone', 'marked/v-1/NodeDown'],
  ])
  expect(told[1]?.summary).toBe('undone: Ready, Ready of 28 pods, condition')
})
