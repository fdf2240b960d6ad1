/** Holds everything that happens in a simulated world against the invariants, and keeps count. Changes nothing. */
import type { Decided, DecideInit } from '../../aggregator/permits/decide.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Plan, Remediation } from '../../remediators/contract.ts'
import type { Deed } from '../../remediators/deeds.ts'
import type { FixInput } from '../../remediators/engine.ts'
import type { GuardVerdict, PermitRequest } from '../../remediators/permits.ts'
import type { Effect } from '../../remediators/state.ts'
import { checkActing } from './check-acting.ts'
import { checkGrant, checkVerdicts } from './check-grant.ts'
import { checkBounds, checkState } from './check-state.ts'
import { Contests } from './contests.ts'
import type { Begun, Invariant, Seen, SeenAgent, SeenWorld, Violation } from './invariants.ts'
import { keyOf } from './truth.ts'

const STORY_MAX = 40
const VIOLATIONS_MAX = 20

export class Checker implements Seen {
  readonly violations: Violation[] = []
  readonly counts = new Map<string, number>()
  /** By nonce: the id of the permit that answers it. */
  readonly sent = new Map<string, string>()
  readonly permits = new Map<string, PermitRequest & { readonly grantedAt: number }>()
  readonly usedPermits = new Set<string>()
  /** By node, plan and when it was planned. */
  readonly deeds = new Map<string, Begun>()
  /** By node: the plan that it is carrying out. */
  readonly acting = new Map<string, string>()
  readonly looks = new Map<string, readonly Finding[]>()
  readonly open = new Map<string, { readonly request: PermitRequest; readonly at: number }>()
  readonly #contests = new Contests()
  readonly #stories = new Map<string, string[]>()
  #world: SeenWorld | undefined

  attach(world: SeenWorld): void {
    this.#world = world
  }

  get world(): SeenWorld {
    if (this.#world === undefined) throw new Error('it watches no world yet')
    return this.#world
  }

  fail(invariant: Invariant, node: string, what: string): void {
    if (this.violations.length >= VIOLATIONS_MAX) return
    const at = new Date(this.world.now()).toISOString().slice(8, 19)
    this.violations.push({ invariant, at, node, what, story: [...(this.#stories.get(node) ?? [])] })
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by)
  }

  note(node: string, what: string): void {
    const story = this.#stories.get(node) ?? []
    story.push(`${new Date(this.world.now()).toISOString().slice(8, 23)} ${what}`)
    if (story.length > STORY_MAX) story.shift()
    this.#stories.set(node, story)
  }

  asked(agent: SeenAgent, { planId, nonce }: PermitRequest): void {
    this.count('asked')
    this.note(agent.node, `asks for ${planId} with ${nonce.slice(0, 6)}`)
  }

  /** A leader has it in hand, and owes an answer. */
  heard(request: PermitRequest): void {
    this.open.set(request.nonce, { request, at: this.world.now() })
  }

  passedOn({ nonce }: PermitRequest): void {
    this.open.delete(nonce)
  }

  granted(leader: string, { verdicts, grant }: Decided, init: DecideInit): void {
    if (grant === undefined) return
    const { request } = init.asked
    const { permit } = grant
    this.count('granted')
    this.note(request.node, `${leader} grants ${permit.id} for ${permit.planId}`)
    checkVerdicts(this, request, verdicts, init)
    checkGrant(this, leader, grant, init)
    this.open.delete(request.nonce)
    this.sent.set(request.nonce, permit.id)
    this.permits.set(permit.id, { ...request, grantedAt: this.world.now() })
  }

  refused(request: PermitRequest, verdicts: readonly GuardVerdict[], init: DecideInit): void {
    this.open.delete(request.nonce)
    const against = verdicts.filter(({ allowed }) => !allowed)
    this.count('refused')
    for (const { guard } of against) this.count(`refused by ${guard}`)
    this.note(request.node, `refused ${request.planId}: ${against.map(({ guard }) => guard).join(', ')}`)
    checkVerdicts(this, request, verdicts, init)
  }

  announced(agent: SeenAgent, remediation: Remediation): void {
    const { plan, phase, why, permitId, ended } = remediation
    this.note(agent.node, `${phase} ${plan.id}${permitId === undefined ? '' : ` (${permitId})`}: ${why}`)
    if (why === '') this.fail('recorded', agent.node, `${plan.id} is ${phase} without a cause`)
    this.count(`phase ${phase}`)
    if (phase === 'refused' && why.startsWith('contested')) this.count('contested')
    checkState(this, agent, remediation)
    if (ended !== true) return
    const deed = this.deeds.get(keyOf(plan))
    if (deed === undefined || deed.end !== null) return
    if (phase === 'verified') this.#contests.verified(plan, this.world.now())
    deed.end = phase
    deed.endedAt = this.world.now()
    this.acting.delete(agent.node)
  }

  stepped(agent: SeenAgent, input: FixInput, effects: readonly Effect[]): void {
    this.count('steps')
    if (input.kind === 'report') this.#contests.reported(agent.node, input.findings)
    checkBounds(this, agent, input, effects)
  }

  applies(agent: SeenAgent, deed: Extract<Deed, { kind: 'apply' }>): void {
    this.count(deed.permit === null ? 'applied alone' : 'applied')
    const { plan, permit } = deed
    this.note(agent.node, `applies ${plan.id} with ${permit?.id ?? 'no permit'}`)
    checkActing(this, agent, deed)
    const contested = this.#contests.thirdTime(plan, this.world.now())
    if (contested !== undefined) this.fail('contested', agent.node, `${plan.id} mends ${contested} for the third time`)
    this.acting.set(agent.node, plan.id)
    if (permit !== null) this.usedPermits.add(permit.id)
    const fresh = { node: agent.node, plan, permitId: permit?.id ?? null, touched: false, end: null, endedAt: 0 }
    this.deeds.set(keyOf(plan), fresh)
  }

  touches(_: SeenAgent, plan: Plan): void {
    const deed = this.deeds.get(keyOf(plan))
    if (deed !== undefined) deed.touched = true
  }

  looked(agent: SeenAgent, plan: Plan, findings: readonly Finding[]): void {
    this.looks.set(plan.id, findings)
    this.note(agent.node, `looks: ${findings.map(({ status, cause }) => `${status} ${cause}`).join(', ') || 'nothing'}`)
  }

  reverts(agent: SeenAgent, plan: Plan): void {
    this.count('reverts')
    this.note(agent.node, `reverts ${plan.id}`)
  }

  crashed(agent: SeenAgent): void {
    this.count('crashes')
    this.acting.delete(agent.node)
    this.#contests.restarted(agent.node)
    this.note(agent.node, 'crashes')
  }

  restarted(agent: SeenAgent): void {
    this.note(agent.node, 'starts')
  }
}
