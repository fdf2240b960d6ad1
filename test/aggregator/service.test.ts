/** The end of a freeze, from the decision to what the leader does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Journal } from '../../aggregator/model.ts'
import { AggregatorService } from '../../aggregator/service.ts'
import type { OfficeSide } from '../../aggregator/sides.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import { accusation, newLeader, roster } from './leader-of-five.ts'
import { PERMITS_SIDE } from './sample-permits.ts'
import { SETTINGS_SIDE } from './sample-settings.ts'
import { SILENT_LOG } from './serve-sample.ts'

const NOW_MS = 100_000
const RELEASE = { reason: 'the switch was replaced', via: 'cli' } as const

let dir: string
let store: Journal
let leader: Leader

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'starling-service-'))
  store = openJournal(join(dir, 'history.sqlite'))
  leader = newLeader()
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true })
})

const LEADS: OfficeSide = {
  office: () => ({ role: 'leads', since: '', why: '', leader: 'leader', unfit: null }),
  marking: () => null,
}

const INIT = {
  roster,
  node: 'leader',
  life: 7,
  version: '0',
  notice: () => '',
  people: () => [],
  log: SILENT_LOG,
  keepRoster: () => {},
}

function started(history = store): AggregatorService {
  const service = new AggregatorService({ ...INIT, store: history })
  service.start({ leader, now: () => NOW_MS, publish: () => {}, roster }, LEADS, SETTINGS_SIDE, PERMITS_SIDE)
  return service
}

/** Three of five in question. What the leader tells goes to the service, as a running node hands it on. */
function freeze(service: AggregatorService): void {
  for (const subject of ['a', 'b', 'c']) {
    for (const voter of ['d', 'e']) leader.accused(NOW_MS, voter, accusation(subject, 'NodeDown', 'nothing'))
  }
  tick(service)
}

function tick(service: AggregatorService): void {
  for (const effect of leader.tick(NOW_MS, [])) if (effect.kind === 'notice') service.notice(effect.notice)
}

it('is refused when nothing is frozen, and leaves no trace', () => {
  const service = started()
  expect(() => service.release(RELEASE, 'somebody')).toThrow('nothing is frozen')
  expect(store.query({ kinds: ['decision'], limit: 1 })).toEqual([])
})

it('is on record, takes effect, and is what the thaw goes back to', () => {
  const service = started()
  freeze(service)
  expect(service.snapshot().mesh.frozen).toContain('3 of 5 nodes')
  const event = service.release(RELEASE, 'somebody')
  expect(service.snapshot().mesh.frozen).toBeNull()
  tick(service)
  const [frozen, decision, thawed] = store.query({ kinds: ['frozen', 'decision', 'thawed'], limit: 10 })
  expect(decision).toMatchObject({ id: event.id, kind: 'decision', causedBy: frozen?.id })
  expect(thawed).toMatchObject({ kind: 'thawed', causedBy: event.id })
  expect(thawed?.summary).toContain('somebody ended the freeze: the switch was replaced')
})

it('takes no effect when it could not be put on record', () => {
  const full: Journal = {
    ...store,
    append: (event) => {
      if (event.kind === 'decision') throw new Error('the disk is full')
      return store.append(event)
    },
  }
  const service = started(full)
  freeze(service)
  expect(() => service.release(RELEASE, 'somebody')).toThrow('the disk is full')
  expect(leader.frozen).toBeDefined()
})

it('forgets what a member said when it is one no more', () => {
  let inForce = roster
  const service = new AggregatorService({ ...INIT, store })
  const mesh = { leader, now: () => NOW_MS, publish: () => {} }
  const side = {
    ...mesh,
    get roster() {
      return inForce
    },
  }
  service.start(side, LEADS, SETTINGS_SIDE, PERMITS_SIDE)
  for (const signer of ['a', 'b']) {
    const body = { kind: 'announcement', incarnation: { serial: 1, boot: 2, refutations: 0 } } as const
    const statement = { signer, serial: 1, boot: 2, seq: 1, ttlMs: 1_000, body }
    service.hear({ statement, signature: new Uint8Array() })
  }
  const lives = () => service.snapshot().members.map(({ node, incarnation }) => `${node} ${incarnation}`)
  expect(lives().slice(0, 2)).toEqual(['a 1.2.0', 'b 1.2.0'])
  const others = roster.members.slice(2)
  const [, b] = roster.members
  if (b === undefined) throw new Error('no b')
  inForce = { ...roster, epoch: 2, members: [{ ...b, serial: 2 }, ...others] }
  expect(lives()[0]).toBe('b ')
  expect(service.live()).toBe(4)
})

it('shows the pool of a member that has one, since policies ask for it', () => {
  const service = new AggregatorService({
    ...{
      roster,
      node: 'leader',
      life: 7,
      version: '0',
      notice: () => '',
      people: () => [],
      log: SILENT_LOG,
      keepRoster: () => {},
    },
    store,
  })
  const members = roster.members.map((member) => (member.node === 'b' ? { ...member, pool: 'gpu' } : member))
  const mesh = { leader, now: () => NOW_MS, publish: () => {}, roster: { ...roster, members } }
  service.start(mesh, LEADS, SETTINGS_SIDE, PERMITS_SIDE)
  const pools = service.snapshot().members.map(({ node, pool }) => [node, pool])
  expect(pools.slice(0, 2)).toEqual([
    ['a', undefined],
    ['b', 'gpu'],
  ])
})
