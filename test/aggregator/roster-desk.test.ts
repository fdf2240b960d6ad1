/** What a person lets through of the roster: on record before it takes effect, and the cause of what comes of it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Change, Held } from '../../aggregator/kubernetes/roster/rules.ts'
import type { Journal } from '../../aggregator/model.ts'
import { Recorder } from '../../aggregator/recorder.ts'
import { RosterDesk } from '../../aggregator/roster-desk.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { silentLog } from '../../common/log.ts'

const GONE: Change = { kind: 'removed', node: 'a', why: 'its Node is gone', member: undefined }
const HELD: Held = { kind: 'removals', changes: [GONE, { ...GONE, node: 'b' }], why: '2 gone' }
const RELEASE = { reason: 'the rack was sold', via: 'cli' } as const

let dir: string
let store: Journal
let releases: number

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-desk-'))
  store = openJournal(join(dir, 'history.sqlite'))
  releases = 0
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true })
})

function deskWith(held: readonly Held[], history = store): RosterDesk {
  const desk = new RosterDesk(
    new Recorder(history, `life-${Math.trunc(performance.now())}`, () => {}).roster,
    silentLog,
  )
  const shown = held.map(({ kind, why, changes }) => ({ kind, why, nodes: changes.map(({ node }) => node) }))
  desk.follow({ view: () => ({ stalled: null, uncovered: [], held: shown }), release: () => releases++ })
  return desk
}

const story = () => store.query({ limit: 100 }).map(({ id, kind, node, causedBy }) => ({ id, kind, node, causedBy }))

it('is refused when nothing waits, and leaves no trace', () => {
  expect(() => deskWith([]).release(RELEASE, 'somebody')).toThrow('no change of the roster waits')
  expect([releases, story()]).toEqual([0, []])
})

it('is the cause of what comes of it, and has what waited for its own', () => {
  const desk = deskWith([HELD])
  desk.story.waits([HELD])
  desk.story.waits([HELD])
  const { id } = desk.release(RELEASE, 'somebody')
  desk.story.changed(8, HELD.changes)
  desk.story.waits([])
  expect(releases).toBe(1)
  const [held, decision, a, b, free, ...more] = story()
  expect(held).toMatchObject({ kind: 'roster-held', causedBy: '' })
  expect(decision).toMatchObject({ id, kind: 'decision', causedBy: held?.id })
  expect([a, b].map((event) => [event?.kind, event?.node, event?.causedBy])).toEqual([
    ['member-removed', 'a', id],
    ['member-removed', 'b', id],
  ])
  expect([free?.kind, free?.causedBy, more]).toEqual(['roster-free', id, []])
})

it('goes on with what waited when the aggregator was started again', () => {
  deskWith([HELD]).story.waits([HELD])
  const again = deskWith([HELD])
  again.story.waits([HELD])
  again.story.waits([])
  expect(story().map(({ kind }) => kind)).toEqual(['roster-held', 'roster-free'])
  expect(story()[1]?.causedBy).toBe(story()[0]?.id)
})

it('takes no effect when it could not be put on record', () => {
  const append: Journal['append'] = () => {
    throw new Error('the disk is full')
  }
  expect(() => deskWith([HELD], { ...store, append }).release(RELEASE, 'somebody')).toThrow('the disk is full')
  expect(releases).toBe(0)
})
