/**
 * Nodes that ask and aggregators that answer, each with its own history, over one record of permits, on a clock that a test
 * moves. What is said reaches whom a test hands it to; what an aggregator sends is kept in `sent`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Fleet } from '../../../aggregator/fleet.ts'
import type { Journal } from '../../../aggregator/model.ts'
import type { Person } from '../../../aggregator/people.ts'
import type { Ended } from '../../../aggregator/permits/book.ts'
import type { BudgetUse } from '../../../aggregator/permits/budget-use.ts'
import { PermitDesk } from '../../../aggregator/permits/desk.ts'
import { Ledger } from '../../../aggregator/permits/ledger.ts'
import type { SettledRules } from '../../../aggregator/permits/mode.ts'
import type { Outlook } from '../../../aggregator/permits/outside.ts'
import { Pauses } from '../../../aggregator/permits/pauses.ts'
import type { MeshNow } from '../../../aggregator/permits/view.ts'
import { Recorder } from '../../../aggregator/recorder.ts'
import { openJournal } from '../../../aggregator/store/sqlite.ts'
import { silentLog } from '../../../common/log.ts'
import type { Finding } from '../../../detectors/contract.ts'
import type { SignedStatement } from '../../../mesh/core/model.ts'
import type { Plan, Reach, Remediation, RemediationPhase, Risk } from '../../../remediators/contract.ts'
import { type GuardsSettings, readGuards } from '../../../remediators/guards/settings.ts'
import type { Mode } from '../../../remediators/modes.ts'
import {
  decodePermit,
  decodeRefusal,
  encodeNote,
  isPermitTopic,
  permitRequestTopic,
  remediationTopic,
} from '../../../remediators/notes.ts'
import type { Permit, PermitRequest, Refusal } from '../../../remediators/permits.ts'
import { makePlan } from '../../../remediators/plan.ts'
import { sysctl } from '../../../remediators/sysctl.ts'
import { sampleMember } from '../../mesh/sample-mesh.ts'
import { FakeBook } from './fake-book.ts'

const WALL_MS = Date.parse('2026-01-31T12:00:00.000Z')

export const NODES = Array.from({ length: 8 }, (_, index) => `node-${index + 1}`)

/** What everybody shares. */
export class World {
  nowMs = 0
  readonly book = new FakeBook()
  readonly members = NODES.map((node, index) => sampleMember(node, `zone-${index % 2}`, { pool: 'workers' }))
  readonly standing = new Map<string, { readonly kind: 'NodeDown' | 'HostHung' | 'Isolated' }>()
  findings: readonly Finding[] = [fault('node-1')]
  guards: GuardsSettings = {}
  outlook: Outlook = { nodes: new Map(), stale: undefined, alerts: [] }
  restrained: string | undefined
  people: readonly Person[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'starling-permits-'))
  readonly #stores: Journal[] = []

  /** By version, the mode that the only rule has. */
  modes: ReadonlyMap<number, Mode> = new Map([[1, 'auto']])

  settled(node: string): readonly SettledRules[] {
    return [...this.modes].map(([version, mode]) => {
      const remediator = { ...sysctl, name: 'sample-fix', handles: ['SampleFault'] }
      const byName = new Map([['sample-fix', { remediator, mode, options: {} }]])
      return { version, rules: { node, traits: { node, zone: 'zone-1', roles: [] }, byName, policies: [] } }
    })
  }

  get wallMs(): number {
    return WALL_MS + this.nowMs
  }

  get wall(): string {
    return new Date(this.wallMs).toISOString()
  }

  /** An empty history. */
  store(): Journal {
    const store = openJournal(join(this.#folder, `history-${this.#stores.length}.sqlite`))
    this.#stores.push(store)
    return store
  }

  close(): void {
    for (const store of this.#stores) store.close()
    rmSync(this.#folder, { recursive: true })
  }
}

export class Aggregator {
  readonly sent: (Permit | Refusal)[] = []
  readonly refusals: string[] = []
  readonly uses: BudgetUse[] = []
  readonly ends: Ended[] = []
  readonly fleet = new Fleet()
  readonly desk: PermitDesk
  readonly pauses: Pauses
  readonly recorder: Recorder
  /** Undefined while it stands by. */
  term: number | undefined
  /** Long enough to have heard everybody. */
  ledForMs = 60_000
  /** Killed, or cut off: nothing that it says gets anywhere. */
  isMute = false
  readonly #world: World

  constructor(world: World, term: number | undefined, store = world.store()) {
    this.#world = world
    this.term = term
    this.recorder = new Recorder(store, `life-${Math.trunc(performance.now() * 1_000)}`, () => {})
    const ledger = new Ledger({ store: world.book, term: () => this.term })
    const story = this.recorder.permits
    const wallNow = () => world.wallMs
    this.pauses = new Pauses({ ledger, story, wallNow })
    this.desk = new PermitDesk({
      ...{ ledger, story, wallNow, log: silentLog },
      guards: () => readGuards(world.guards),
      people: () => world.people,
      settled: (node) => world.settled(node),
      outlook: async () => world.outlook,
      used: (budgets) => this.uses.push(budgets),
      refusedBy: (guard) => this.refusals.push(guard),
      came: (end) => this.ends.push(end),
      now: () => world.nowMs,
    })
    this.desk.start({
      mesh: () => (this.term === undefined ? undefined : this.#mesh()),
      ledForMs: () => this.ledForMs,
      isMember: (node) => NODES.includes(node),
      publish: (topic, bytes) => {
        if (this.isMute) return
        this.sent.push(isPermitTopic(topic) ? decodePermit(bytes) : decodeRefusal(bytes))
      },
      said: (planId) => this.fleet.said(planId),
      allSaid: () => this.fleet.allSaid(),
    })
  }

  hear(...statements: readonly SignedStatement[]): void {
    for (const signed of statements) {
      if (this.desk.hear(signed)) continue
      const change = this.fleet.hear(this.#world.nowMs, signed)
      if (change.kind === 'remediation') this.recorder.remediation(change.remediation)
      this.desk.heardOf(signed)
    }
  }

  #mesh(): MeshNow {
    const { members, standing, findings, restrained } = this.#world
    return { members, standing, hasLeft: () => false, findings, restrained }
  }
}

/** What a node says, in the order in which it says it. */
export class Node {
  readonly name: string
  readonly #world: World
  #seq = 0
  #nonces = 0

  constructor(world: World, name = 'node-1') {
    this.#world = world
    this.name = name
  }

  plan(reach: Reach = 'process', risk: Risk = 'low', finding = fault(this.name)): Plan {
    const change = { what: 'a value', before: 'a', after: 'b', undo: 'set a' }
    return makePlan({ name: 'sample-fix', reach, risk }, finding, [change], this.#world.wall)
  }

  says(plan: Plan, phase: RemediationPhase, parts: Partial<Remediation> = {}): SignedStatement {
    const rest = { policy: 'remediators.sample-fix', mode: 'auto', rung: 1, attempt: 1 } as const
    const remediation: Remediation = { plan, phase, why: 'so it is', at: this.#world.wall, ...rest, ...parts }
    return this.#sign(remediationTopic(plan.id), encodeNote(remediation))
  }

  /** With another nonce each time. */
  asks(plan: Plan, parts: Partial<PermitRequest> = {}): SignedStatement {
    const nonce = (++this.#nonces).toString(16).padStart(32, '0')
    const { id: planId, planHash, evidenceHash } = plan
    const request: PermitRequest = { node: this.name, planId, planHash, evidenceHash, nonce, mode: 'auto', ...parts }
    return this.#sign(permitRequestTopic(request.planId), encodeNote(request))
  }

  #sign(topic: string, bytes: Uint8Array): SignedStatement {
    const body = { kind: 'note', topic, bytes } as const
    const statement = { signer: this.name, serial: 1, boot: 1, seq: ++this.#seq, ttlMs: 60_000, body }
    return { statement, signature: new Uint8Array() }
  }
}

export function fault(node: string): Finding {
  return {
    id: `${node}/sample/SampleFault/#1`,
    node,
    detector: 'sample',
    reason: 'SampleFault',
    cause: '',
    status: 'alarm',
    summary: 'it is broken',
    evidence: [],
    since: '2026-01-31T11:00:00.000Z',
    observedAt: '2026-01-31T12:00:00.000Z',
    ttlMs: 60_000,
  }
}

/** All that was begun is done: nothing here waits for anything but the turns of this process. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

export function isPermit(answer: Permit | Refusal | undefined): answer is Permit {
  return answer !== undefined && 'planHash' in answer
}

/** The guards behind each refusal; none of a permit. */
export function guardsOf(answer: Permit | Refusal | undefined): readonly string[] {
  return answer !== undefined && 'guards' in answer ? answer.guards.map(({ guard }) => guard) : []
}
