/** History across a restart of the aggregator: one condition is one chain, however often the aggregator started. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../aggregator/model.ts'
import { Recorder } from '../../aggregator/recorder.ts'
import { openSqliteStore } from '../../aggregator/store/sqlite.ts'
import type { Notice } from '../../mesh/core/message.ts'

const LIFE = { serial: 1, boot: 1, refutations: 0 }

let dir: string
let store: Store
let lives = 0

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-recorder-'))
  store = openSqliteStore(join(dir, 'history.sqlite'))
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true })
})

const newRecorder = () => new Recorder(store, `aggregator-1.${++lives}`, () => {})
const agentDown = (subject: string): Notice => ({ kind: 'agentDown', subject, voters: ['node-2'] })
const suspected = (subject: string): Notice => ({ kind: 'suspected', subject, voters: ['node-2'] })
const told = (node: string) => store.query({ node, limit: 100 }).map(({ kind, causedBy }) => ({ kind, causedBy }))
const kinds = (node: string) => told(node).map(({ kind }) => kind)

describe('an aggregator that started again', () => {
  it('tells of an agent that is still down no second time, and links its return to what is on record', () => {
    newRecorder().notice(agentDown('node-1'))
    const [down] = store.query({ node: 'node-1', limit: 1 })
    const next = newRecorder()
    next.notice(agentDown('node-1'))
    next.notice({ kind: 'agentUp', subject: 'node-1', voters: [] })
    expect(told('node-1')).toEqual([
      { kind: 'agent-down', causedBy: '' },
      { kind: 'agent-up', causedBy: down?.id },
    ])
  })

  it('tells of a second fault when the agent came back between the two', () => {
    newRecorder().notice(agentDown('node-1'))
    const next = newRecorder()
    next.joined('node-1', '1.2.0')
    next.notice(agentDown('node-1'))
    expect(kinds('node-1')).toEqual(['agent-down', 'joined', 'agent-up', 'agent-down'])
    expect(told('node-1').at(-1)?.causedBy).toBe('')
  })

  it('goes on with a suspicion, and starts a new one after a verdict has ended', () => {
    newRecorder().notice(suspected('node-1'))
    const second = newRecorder()
    second.notice(suspected('node-1'))
    expect(kinds('node-1')).toEqual(['suspected'])
    const verdict = { verdictId: 'aa-node-1', kind: 'NodeDown', subject: 'node-1', incarnation: LIFE } as const
    second.notice({ kind: 'recovered', verdict, why: 'heard' })
    const third = newRecorder()
    third.notice(suspected('node-1'))
    expect(told('node-1').map(({ kind, causedBy }) => [kind, causedBy])).toEqual([
      ['suspected', ''],
      ['recovered', 'verdict/aa-node-1'],
      ['suspected', ''],
    ])
  })
})

describe('one aggregator', () => {
  it('tells of each fault and each return', () => {
    const recorder = newRecorder()
    for (const boot of [2, 3]) {
      recorder.notice(agentDown('node-1'))
      recorder.joined('node-1', `1.${boot}.0`)
      recorder.notice({ kind: 'agentUp', subject: 'node-1', voters: [] })
    }
    expect(kinds('node-1').filter((kind) => kind !== 'joined')).toEqual([
      'agent-down',
      'agent-up',
      'agent-down',
      'agent-up',
    ])
  })

  it('keeps the ids that nodes choose apart from its own', () => {
    const recorder = newRecorder()
    const finding = {
      id: 'aa-node-1',
      node: 'node-1',
      detector: 'conntrack',
      reason: 'Full',
      cause: '',
      status: 'warn',
      summary: 'full',
      evidence: [],
      since: '2026-01-01T00:00:00Z',
      observedAt: '2026-01-01T00:00:00Z',
      ttlMs: 1_000,
    } as const
    // A node chooses the ids of its findings; none of them takes the place of a verdict.
    recorder.report('node-1', 'conntrack', [{ ...finding, id: 'verdict/aa-node-1' }])
    expect(store.byId('verdict/aa-node-1')).toBeNull()
  })
})
