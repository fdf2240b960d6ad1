/** A verdict that one aggregator came to and another takes over: who takes over shows by which votes it came. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { markingPlan } from '../../aggregator/marking-plan.ts'
import type { Journal } from '../../aggregator/model.ts'
import { AggregatorService } from '../../aggregator/service.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import type { Certificate, Roster, SignedStatement, Standing } from '../../mesh/core/model.ts'
import { rosterHash } from '../../mesh/identity/signed-roster.ts'
import { DrivenLeader } from '../mesh/driven-leader.ts'
import { LEADER, nodeName, sampleMember, sampleRoster } from '../mesh/sample-mesh.ts'
import { PERMITS_SIDE } from './sample-permits.ts'
import { SETTINGS_SIDE } from './sample-settings.ts'
import { SILENT_LOG } from './serve-sample.ts'

const NEXT = 'aggregator-2'
const SUBJECT = nodeName(4)
const sample = sampleRoster({ nodes: 20 })
const roster: Roster = { ...sample, aggregators: [...sample.aggregators, sampleMember(NEXT, '')] }

let store: Journal
beforeEach(() => {
  store = openJournal(':memory:')
})
afterEach(() => store.close())

type Note = readonly [topic: string, bytes: Uint8Array, ttlMs: number]

/** One of two aggregators; `publish` is what it says to the mesh. */
function aggregator(node: string, leader: Leader | undefined, among = roster, history = store) {
  const published: Note[] = []
  const kept: string[] = []
  const service = new AggregatorService({
    ...{
      store: history,
      roster: among,
      node,
      life: 1,
      version: '0',
      notice: () => '',
      people: () => [],
      log: SILENT_LOG,
    },
    keepRoster: (hash) => void kept.push(hash),
  })
  const mesh = { leader, now: () => 0, publish: (...note: Note) => void published.push(note), roster: among }
  const office = { role: 'leads', since: '', why: '', leader: node, unfit: null } as const
  service.start(mesh, { office: () => office, marking: () => null }, SETTINGS_SIDE, PERMITS_SIDE)
  const leads = (standing: readonly Standing[]) => {
    mesh.leader = new DrivenLeader({ roster: among, standing }).leader
    service.leads(2)
  }
  return { service, published, kept, leads }
}

function verdict(): Certificate {
  const driven = new DrivenLeader({ roster, rosterHash: rosterHash(roster) })
  driven.convict(SUBJECT, 0)
  const [certificate] = driven.certificates
  if (certificate === undefined) throw new Error('no verdict')
  return certificate
}

const standingOf = ({ verdictId, kind, subject, incarnation }: Certificate): Standing => {
  return { verdictId, kind, subject, incarnation }
}

/** What the one that leads sends after these verdicts. */
function sentAfter(certificates: readonly Certificate[], among: Roster): readonly Note[] {
  vi.useFakeTimers()
  const history = openJournal(':memory:')
  const { service, published } = aggregator(LEADER, new DrivenLeader({ roster: among }).leader, among, history)
  for (const certificate of certificates) service.commit(certificate)
  // Not before what a verdict sets off.
  expect(published).toEqual([])
  vi.runAllTimers()
  vi.useRealTimers()
  history.close()
  return published
}

/** The same, as the other hears it. */
function letterOf(certificate: Certificate): SignedStatement {
  const [note] = sentAfter([certificate], roster)
  if (note === undefined) throw new Error('nothing was sent')
  const [topic, bytes, ttlMs] = note
  const statement = { signer: LEADER, serial: 1, boot: 1, seq: 1, ttlMs, body: { kind: 'note', topic, bytes } as const }
  return { statement, signature: new Uint8Array() }
}

test('what was heard while it stood by is shown when it leads, and is what the verdict was counted from', () => {
  const certificate = verdict()
  const letter = letterOf(certificate)
  const { service, kept, leads } = aggregator(NEXT, undefined)
  service.hear(letter)
  expect(kept).toEqual([certificate.rosterHash])
  expect(store.query({ limit: 10 })).toEqual([])
  leads([standingOf(certificate)])
  const [view] = service.snapshot().verdicts
  expect(view).toMatchObject({ id: certificate.verdictId, node: SUBJECT, kind: 'NodeDown', needed: 6 })
  expect(view?.votes.map(({ voter, opinion, forMs }) => [voter, opinion, forMs])).toEqual(
    certificate.answers.map(({ answer }) => [answer.voter, 'silent', answer.forMs]),
  )
  expect(view?.certificate).not.toBe('')
  const [event] = store.query({ kinds: ['verdict'], limit: 10 })
  expect(event?.summary).toBe(
    'NodeDown stands since another aggregator led: 10 of 10 observers agreed (6 needed), counted by aggregator-1',
  )
})

test('one whose votes are not known stands all the same, and gets them when they come', () => {
  const certificate = verdict()
  const letter = letterOf(certificate)
  const { service, leads } = aggregator(NEXT, undefined)
  leads([standingOf(certificate)])
  const [bare] = service.snapshot().verdicts
  expect(bare).toMatchObject({ id: certificate.verdictId, votes: [], certificate: '' })
  service.hear(letter)
  service.hear(letter)
  expect(service.snapshot().verdicts).toMatchObject([{ id: certificate.verdictId, at: bare?.at }])
  expect(service.snapshot().verdicts[0]?.votes).toHaveLength(10)
  expect(store.query({ kinds: ['verdict'], limit: 10 }).map(({ causedBy }) => causedBy)).toEqual([
    '',
    `verdict/${certificate.verdictId}`,
  ])
  const plan = markingPlan(store, '2020-01-01T00:00:00.000Z')
  expect(plan).toMatchObject([{ votes: { silent: 10, needed: 6 }, at: bare?.at, effect: 'none' }])
  // Its next life has it on record.
  expect(aggregator(NEXT, undefined).service.verdicts.standing()).toEqual([standingOf(certificate)])
})

test('votes of another verdict on the same node are not taken for those of this one', () => {
  const letter = letterOf(verdict())
  const { service, leads } = aggregator(NEXT, undefined)
  service.hear(letter)
  leads([{ ...standingOf(verdict()), verdictId: 'of-a-later-silence' }])
  expect(service.snapshot().verdicts).toMatchObject([{ id: 'of-a-later-silence', votes: [] }])
})

test('each verdict is sent for itself, and nothing where there is no other aggregator', () => {
  const other = { ...verdict(), subject: 'n'.repeat(253) }
  const topics = sentAfter([verdict(), other], roster).map(([topic]) => topic)
  expect(topics).toEqual([`certificate/${SUBJECT}`, `certificate/${'n'.repeat(200)}`])
  expect(sentAfter([verdict()], sample)).toEqual([])
})
