/** History across a restart of the aggregator: one condition is one chain, however often the aggregator started. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nothingDesired } from '../../aggregator/kubernetes/marking/desired.ts'
import type { Journal } from '../../aggregator/model.ts'
import { Recorder } from '../../aggregator/recorder.ts'
import { planEventId } from '../../aggregator/remediation-model.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import { Verdicts } from '../../aggregator/verdicts.ts'
import type { Notice } from '../../mesh/core/message.ts'
import type { Plan, Remediation, RemediationPhase } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { at, differs, sysctl } from '../remediators/parts.ts'

const LIFE = { serial: 1, boot: 1, refutations: 0 }

let dir: string
let store: Journal
let lives = 0

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-recorder-'))
  store = openJournal(join(dir, 'history.sqlite'))
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
    newRecorder().mesh.notice(agentDown('node-1'))
    const [down] = store.query({ node: 'node-1', limit: 1 })
    const next = newRecorder()
    next.mesh.notice(agentDown('node-1'))
    next.mesh.notice({ kind: 'agentUp', subject: 'node-1', voters: [] })
    expect(told('node-1')).toEqual([
      { kind: 'agent-down', causedBy: '' },
      { kind: 'agent-up', causedBy: down?.id },
    ])
  })

  it('tells of a second fault when the agent came back between the two', () => {
    newRecorder().mesh.notice(agentDown('node-1'))
    const next = newRecorder()
    next.mesh.joined('node-1', '1.2.0')
    next.mesh.notice(agentDown('node-1'))
    expect(kinds('node-1')).toEqual(['agent-down', 'joined', 'agent-up', 'agent-down'])
    expect(told('node-1').at(-1)?.causedBy).toBe('')
  })

  it('goes on with a suspicion, and starts a new one after a verdict has ended', () => {
    newRecorder().mesh.notice(suspected('node-1'))
    const second = newRecorder()
    second.mesh.notice(suspected('node-1'))
    expect(kinds('node-1')).toEqual(['suspected'])
    const verdict = { verdictId: 'aa-node-1', kind: 'NodeDown', subject: 'node-1', incarnation: LIFE } as const
    second.mesh.notice({ kind: 'recovered', verdict, why: 'heard' })
    const third = newRecorder()
    third.mesh.notice(suspected('node-1'))
    expect(told('node-1').map(({ kind, causedBy }) => [kind, causedBy])).toEqual([
      ['suspected', ''],
      ['recovered', 'verdict/aa-node-1'],
      ['suspected', ''],
    ])
  })
})

describe('an incident', () => {
  const linkFault = (open: boolean): Notice => ({
    kind: 'linkFault',
    subject: 'node-1',
    open,
    alive: open ? ['node-2', 'node-3'] : [],
    silent: open ? ['node-4', 'node-5'] : [],
  })

  it('is one beginning and one end, with the evidence and what made the leader look', () => {
    const { mesh } = newRecorder()
    mesh.notice(suspected('node-1'))
    mesh.notice(linkFault(true))
    mesh.notice(linkFault(false))
    const [first, fault, over] = store.query({ node: 'node-1', limit: 10 })
    expect(fault).toMatchObject({
      kind: 'link-fault',
      causedBy: first?.id,
      summary: 'seen by node-2, node-3; silent to node-4, node-5',
      data: { alive: ['node-2', 'node-3'], silent: ['node-4', 'node-5'] },
    })
    expect(over).toMatchObject({ kind: 'link-fault-over', tone: 'good', causedBy: fault?.id })
    mesh.notice(linkFault(true))
    expect(kinds('node-1')).toEqual(['suspected', 'link-fault', 'link-fault-over', 'link-fault'])
  })

  const incidents: readonly (readonly [string, string, Notice, Notice])[] = [
    ['link-fault', 'link-fault-over', linkFault(true), linkFault(false)],
    [
      'observer-fault',
      'observer-fault-over',
      { kind: 'observerFault', subject: 'node-1', open: true, why: 'it alone sees nothing of node-2, node-3' },
      { kind: 'observerFault', subject: 'node-1', open: false, why: 'it has agreed with the others for 5 minutes' },
    ],
    [
      'blind',
      'blind-over',
      { kind: 'blind', open: true, subjects: ['node-2'], why: '3 of 10 members do not vote' },
      { kind: 'blind', open: false, subjects: [], why: '3 of 10 members do not vote' },
    ],
    [
      'no-quorum',
      'quorum',
      { kind: 'quorum', reached: false, present: 3, live: 9 },
      { kind: 'quorum', reached: true, present: 8, live: 9 },
    ],
    [
      'frozen',
      'thawed',
      { kind: 'brake', change: { kind: 'frozen', why: '3 of 5 nodes are in question', nodes: ['node-1'] } },
      { kind: 'brake', change: { kind: 'thawed', why: 'fewer in question for 60 s' } },
    ],
  ]
  const all = () => store.query({ limit: 100 }).map(({ kind, id, causedBy }) => ({ kind, id, causedBy }))

  it.each(incidents)('%s is not told twice by an aggregator that started again', (begins, ends, open, over) => {
    newRecorder().mesh.notice(open)
    const second = newRecorder().mesh
    second.notice(open)
    second.endUnseen()
    const third = newRecorder().mesh
    third.notice(open)
    third.notice(over)
    const [start, end, ...more] = all()
    expect([start?.kind, end?.kind, end?.causedBy, more]).toEqual([begins, ends, start?.id, []])
  })

  it.each(incidents)('%s ends as unseen when it does not show again', (begins, ends, open) => {
    newRecorder().mesh.notice(open)
    const second = newRecorder().mesh
    second.endUnseen()
    second.endUnseen()
    expect(all().map(({ kind }) => kind)).toEqual([begins, ends])
    second.notice(open)
    newRecorder().mesh.endUnseen()
    expect(all().map(({ kind }) => kind)).toEqual([begins, ends, begins, ends])
  })

  it.each(incidents)('%s ends as unseen later, when the journal takes nothing at first', (begins, ends, open) => {
    newRecorder().mesh.notice(open)
    const second = newRecorder().mesh
    const { append } = store
    store.append = () => {
      throw new Error('database or disk is full')
    }
    expect(() => second.endUnseen()).toThrow('full')
    store.append = append
    second.endUnseen()
    expect(all().map(({ kind }) => kind)).toEqual([begins, ends])
  })

  it('of blindness is told again when it grows, also after a restart, and not when it shrinks', () => {
    const blind = (...subjects: readonly string[]): Notice => ({ kind: 'blind', open: true, subjects, why: 'x' })
    const first = newRecorder().mesh
    for (const subjects of [['node-2'], ['node-2', 'node-3'], ['node-2']]) first.notice(blind(...subjects))
    const second = newRecorder().mesh
    second.notice(blind('node-2', 'node-3'))
    second.notice(blind('node-2', 'node-3', 'node-4'))
    const told = store.query({ limit: 100 })
    expect(told.map(({ data }) => (data.subjects as string[]).length)).toEqual([1, 2, 3])
    expect(told.map(({ causedBy }) => causedBy)).toEqual(['', told[0]?.id, told[1]?.id])
    expect(told[0]?.summary).toBe('Blind: x; nobody could be convicted of node-2')
  })
})

describe('a freeze that an operator ends', () => {
  it('is a decision, caused by the freeze, and what comes of it is caused by that', () => {
    const { mesh } = newRecorder()
    mesh.notice({ kind: 'brake', change: { kind: 'frozen', why: 'too many', nodes: [] } })
    mesh.released('release-1', 'local-token', 'cli', 'the switch was replaced')
    mesh.notice({ kind: 'brake', change: { kind: 'thawed', why: 'local-token ended the freeze' } })
    const [frozen, decision, thawed] = store.query({ limit: 10 })
    expect(decision).toMatchObject({
      kind: 'decision',
      causedBy: frozen?.id,
      summary: 'freeze ended by local-token (cli): the switch was replaced',
      data: { by: 'local-token', via: 'cli', reason: 'the switch was replaced' },
    })
    expect(thawed?.causedBy).toBe('release-1')
  })
})

describe('a verdict', () => {
  const verdict = { verdictId: 'aa-node-1', kind: 'NodeDown', subject: 'node-1', incarnation: LIFE } as const

  it('is what an announcement and an isolation go back to, also after a restart', () => {
    const { mesh } = newRecorder()
    mesh.notice({ kind: 'announced', verdict, incarnation: { ...LIFE, boot: 2 } })
    mesh.notice({ kind: 'isolated', verdict: { ...verdict, kind: 'Isolated' } })
    expect(told('node-1')).toEqual([
      { kind: 'announced', causedBy: 'verdict/aa-node-1' },
      { kind: 'isolated', causedBy: 'verdict/aa-node-1' },
    ])
    expect(store.query({ limit: 1, node: 'node-1' })[0]?.data).toEqual({ verdictId: 'aa-node-1' })
  })

  it('stays Isolated for a leader that starts from the record', () => {
    const at = { node: 'node-1', at: '2026-01-01T00:00:00Z', tone: 'bad', summary: '', causedBy: '' } as const
    const data = { verdictId: 'aa-node-1', verdict: 'NodeDown', incarnation: LIFE, votes: [] }
    store.append({ ...at, id: 'verdict/aa-node-1', kind: 'verdict', data })
    expect(new Verdicts(store).standing()).toEqual([verdict])
    newRecorder().mesh.notice({ kind: 'isolated', verdict: { ...verdict, kind: 'Isolated' } })
    expect(new Verdicts(store).standing()).toEqual([{ ...verdict, kind: 'Isolated' }])
  })
})

describe('a node that leaves', () => {
  const left: Notice = { kind: 'left', subject: 'node-1', why: 'stopped' }

  it('is told, and its return is caused by that', () => {
    const { mesh } = newRecorder()
    mesh.notice(left)
    mesh.notice(suspected('node-1'))
    mesh.notice({ kind: 'returned', subject: 'node-1', why: 'it is back' })
    const [event] = store.query({ node: 'node-1', limit: 10 })
    expect(event).toMatchObject({ kind: 'left', tone: 'info', summary: 'it stops on purpose: stopped' })
    expect(told('node-1')).toEqual([
      { kind: 'left', causedBy: '' },
      { kind: 'suspected', causedBy: '' },
      { kind: 'returned', causedBy: event?.id },
    ])
  })

  it('has returned when a new aggregator hears its next life first', () => {
    newRecorder().mesh.notice(left)
    newRecorder().mesh.joined('node-1', '1.2.0')
    expect(kinds('node-1')).toEqual(['left', 'joined', 'returned'])
  })
})

describe('one aggregator', () => {
  it('tells of each fault and each return', () => {
    const recorder = newRecorder()
    for (const boot of [2, 3]) {
      recorder.mesh.notice(agentDown('node-1'))
      recorder.mesh.joined('node-1', `1.${boot}.0`)
      recorder.mesh.notice({ kind: 'agentUp', subject: 'node-1', voters: [] })
    }
    expect(kinds('node-1').filter((kind) => kind !== 'joined')).toEqual([
      'agent-down',
      'agent-up',
      'agent-down',
      'agent-up',
    ])
  })

  it('leads a mark for what the mesh found back to what it told', () => {
    const recorder = newRecorder()
    recorder.mesh.notice(agentDown('node-1'))
    recorder.mesh.notice({ kind: 'linkFault', subject: 'node-1', open: true, alive: ['node-2'], silent: ['node-3'] })
    for (const reason of ['KubeletDown', 'LinkFault']) {
      const cause = { kind: 'diagnosis', id: `node-1/mesh/${reason}/#1`, reason } as const
      const desired = { ...nothingDesired('condition'), condition: { reason, says: reason, cause } }
      recorder.marks.marking({ node: 'node-1', verdict: undefined, desired })
    }
    const causes = store.query({ node: 'node-1', kinds: ['marked'], limit: 10 }).map(({ causedBy }) => causedBy)
    expect(causes.map((id) => store.byId(id)?.kind)).toEqual(['agent-down', 'link-fault'])
  })

  /** The phases of one plan as a node says them, a second apart. */
  const phasesOf = (...phases: readonly RemediationPhase[]): readonly Remediation[] => {
    const changes = [{ what: 'vm.swappiness', before: '60', after: '10', undo: 'sysctl -w vm.swappiness=60' }]
    const plan = makePlan(sysctl, differs('vm.swappiness', '60', '10', { node: 'node-1' }), changes, at(0).wall)
    const by = { plan, why: '', policy: 'p', mode: 'auto', rung: 1, attempt: 1 } as const
    return phases.map((phase, index) => {
      const said = { ...by, phase, at: at(index * 1_000).wall }
      return phase === 'reverted' || phase === 'escalated' ? { ...said, ended: true } : said
    })
  }
  const phasesTold = () => store.query({ node: 'node-1', kinds: ['remediation'], limit: 20 })

  it('says of what became of a fix that it is why a person is needed', () => {
    const recorder = newRecorder()
    const said = phasesOf('proposed', 'permitted', 'applying', 'verifying', 'no-effect', 'reverted', 'escalated')
    for (const one of said) recorder.remediation(one)
    const [reverted, escalated] = phasesTold().slice(-2)
    expect([reverted?.data.phase, escalated?.data.phase]).toEqual(['reverted', 'escalated'])
    expect(escalated?.causedBy).toBe(reverted?.id)
  })

  it('tells of a phase that a plan comes to again, and of none twice', () => {
    const said = phasesOf('awaiting-window', 'refused', 'refused', 'awaiting-window', 'proposed', 'permitted')
    const recorder = newRecorder()
    for (const one of said) recorder.remediation(one)
    // What is heard once more, also by an aggregator that started again.
    for (const again of [recorder, newRecorder()]) for (const one of said.slice(-1)) again.remediation(one)
    expect(phasesTold().map(({ data }) => data.phase)).toEqual([
      'awaiting-window',
      'refused',
      'awaiting-window',
      'permitted',
    ])
    expect(phasesTold().map(({ causedBy }) => causedBy)).toEqual([
      planEventId(said[0]?.plan as Plan),
      ...phasesTold()
        .slice(0, -1)
        .map(({ id }) => id),
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
