/**
 * Whatever happens in whatever order, with the agent killed between any two effects: no decision and no permit acts twice,
 * nothing is begun without a permit or the rule of those that are cut off, outside its window or off the record, and
 * everything that was begun comes to an end.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Around } from '../../remediators/alone.ts'
import type { Plan } from '../../remediators/contract.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Decision, Permit, PermitRequest } from '../../remediators/permits.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { isOpen } from '../../remediators/policy/windows.ts'
import { activeFix, type Effect, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { type Event, type Moved, moved, RULES } from './any-event.ts'
import { aroundWith, at, ok, permitFor, rulesFor } from './parts.ts'

/** An agent with its disk, and everything that was said to it. */
class World {
  readonly counts = { applied: 0, alone: 0, killed: 0, escalated: 0 }
  state: FixState = EMPTY_FIX_STATE
  #disk = encodeFixState(EMPTY_FIX_STATE)
  #rules: Rules
  #ms = 0
  #jumpMs = 0
  #nonces = 0
  /** Of this life, oldest first. */
  #asked: { readonly request: PermitRequest; readonly atMs: number }[] = []
  #around: Around = aroundWith()
  readonly #granted = new Map<string, Permit[]>()
  readonly #approvals = new Map<string, Decision>()
  readonly #used = new Set<string>()

  /** `index`: of the rules that it begins with. */
  constructor(index: number) {
    this.#rules = RULES[index] ?? rulesFor()
  }

  take({ event: what, waitMs, jumpMs, killAfter }: Moved): void {
    if (what.kind === 'silence') {
      const tick = { kind: 'tick', around: what.around } as const
      for (let minute = 0; minute < 15; minute++)
        this.take({ event: tick, waitMs: 60_000, jumpMs, killAfter: undefined })
      return
    }
    this.#ms += waitMs
    this.#jumpMs += jumpMs
    for (const input of this.#aimed(what)) this.#step(input, killAfter)
    // As run.ts does it after each input.
    if (what.kind !== 'tick')
      for (const input of this.#aimed({ kind: 'tick', around: {} })) this.#step(input, undefined)
  }

  /** From here on all is well: what was begun must end. */
  settle(): void {
    const well: FixInput = { kind: 'report', detector: 'kernel-params', findings: [ok] }
    this.take({ event: { kind: 'input', input: well }, waitMs: 0, jumpMs: 0, killAfter: undefined })
    for (let turn = 0; turn < 5; turn++) {
      this.take({ event: { kind: 'done', findings: [ok], how: 'ok' }, waitMs: 11_000, jumpMs: 0, killAfter: undefined })
    }
    expect(this.state.fixes.filter(({ stage }) => stage.kind !== 'ended')).toEqual([])
  }

  #aimed(what: Exclude<Event, { kind: 'silence' }>): readonly FixInput[] {
    switch (what.kind) {
      case 'input':
        return [what.input]
      case 'rules':
        this.#rules = RULES[what.index] ?? this.#rules
        return [{ kind: 'reconfigured' }]
      case 'tick':
        this.#around = aroundWith({ ...what.around, nonce: `${++this.#nonces}`.padStart(32, '0') })
        return [{ kind: 'tick', around: this.#around }]
      case 'permit': {
        const nonce = what.to === 'none' ? 'f'.repeat(32) : this.#asked.at(what.to === 'last' ? -1 : -2)?.request.nonce
        const fix = activeFix(this.state) ?? this.state.fixes.at(-1)
        if (fix === undefined || nonce === undefined) return []
        const permit = { ...permitFor(fix.remediation.plan, { id: what.id, nonce }), ...what.forged }
        this.#granted.set(permit.id, [...(this.#granted.get(permit.id) ?? []), permit])
        return [{ kind: 'permit', permit }]
      }
      case 'refusal': {
        const request = this.#asked.at(what.to === 'last' ? -1 : -2)?.request
        if (request === undefined) return []
        const guards = [{ guard: 'pause', allowed: false, why: 'paused' }]
        const { node, planId, nonce } = request
        return [{ kind: 'refusal', refusal: { node, planId, nonce, guards, retryAfterMs: 10_000 } }]
      }
      case 'done':
        return this.#done(what)
    }
  }

  /** What is under way goes on: a request is granted, and what is done ends. */
  #done({ findings: found, how }: Extract<Event, { kind: 'done' }>): readonly FixInput[] {
    const fix = activeFix(this.state)
    if (fix === undefined) return []
    const planId = fix.remediation.plan.id
    switch (fix.stage.kind) {
      case 'asking':
        return this.#aimed({ kind: 'permit', id: `good-${++this.#nonces}`, to: 'last', forged: {} })
      case 'permitted':
        return [{ kind: 'collected', planId, result: { kind: 'none' } }]
      case 'applying':
        return [{ kind: 'applied', planId, result: how === 'ok' ? { kind: 'ok' } : { kind: how, why: '' } }]
      case 'verifying':
        return [{ kind: 'verified', planId, findings: found }]
      case 'reverting':
        return [{ kind: 'reverted', planId, failure: how === 'failed' ? 'EIO' : null }]
      default:
        return []
    }
  }

  #step(input: FixInput, killAfter: number | undefined): void {
    const before = this.state
    const now = { ms: this.#ms, wall: at(this.#ms + this.#jumpMs).wall }
    const { state, effects } = step(this.#rules, before, now, input)
    this.state = state
    const encoded = encodeFixState(state)
    if (state !== before) expect(decodeFixState(encoded)).toEqual(state)
    if (input.kind === 'decision' && effects.every(({ kind }) => kind !== 'refuse')) {
      this.#approvals.set(input.decision.id, input.decision)
    }
    const working = state.fixes.filter(({ stage }) => stage.kind !== 'waiting' && stage.kind !== 'ended')
    expect(working.length).toBeLessThanOrEqual(1)
    for (const effect of effects.slice(0, killAfter)) this.#perform(effect, before, encoded, now.wall)
    if (killAfter !== undefined && killAfter < effects.length) this.#restart()
  }

  #restart(): void {
    this.counts.killed++
    this.state = decodeFixState(this.#disk)
    this.#ms = this.counts.killed % 2 === 0 ? 0 : 5_000_000
    this.#asked = []
    this.#step({ kind: 'resume' }, undefined)
  }

  #perform(effect: Effect, before: FixState, encoded: string, wall: string): void {
    if (effect.kind === 'save') this.#disk = encoded
    // Nothing is said, asked for or done that is not on disk.
    if (effect.kind !== 'refuse') expect(this.#disk === encoded).toBe(true)
    if (effect.kind === 'ask') this.#asked.push({ request: effect.request, atMs: this.#ms })
    if (effect.kind === 'announce' && effect.remediation.phase === 'escalated') this.counts.escalated++
    if (effect.kind === 'apply') this.#check(effect, before, wall)
  }

  #check({ plan, permit, beginning }: Extract<Effect, { kind: 'apply' }>, before: FixState, wall: string): void {
    this.counts.applied++
    expect(['applying', 'verifying', 'reverting']).not.toContain(activeFix(before)?.stage.kind)
    expect(isOpen(beginning.windows, wall)).toBe(true)
    const { remediation } = activeFix(this.state) ?? {}
    expect(remediation?.phase).toBe('applying')
    expect(remediation?.permitId).toBe(permit?.id)
    if (remediation?.mode === 'approve') {
      const approval = this.#approvals.get(remediation.decisionId ?? '')
      const { id: planId, planHash, evidenceHash, node } = plan
      expect(approval).toMatchObject({ action: 'approve', planId, planHash, evidenceHash, node })
    } else {
      expect(remediation?.mode).toBe('auto')
    }
    if (permit === null) this.#checkAlone(plan.reach)
    else this.#checkPermit(permit, plan)
  }

  #checkPermit(permit: Permit, { id: planId, planHash, evidenceHash, node }: Plan): void {
    expect(this.#used.has(permit.id)).toBe(false)
    this.#used.add(permit.id)
    expect(this.#granted.get(permit.id)).toContainEqual(permit)
    expect(permit).toMatchObject({ planId, planHash, evidenceHash, node })
    const answered = this.#asked.find(({ request }) => request.nonce === permit.nonce)
    expect(answered?.request).toMatchObject({ planId, planHash, evidenceHash })
    expect(this.#ms - (answered?.atMs ?? 0)).toBeLessThanOrEqual(30_000)
    expect(decodeFixState(this.#disk).usedPermits).toContain(permit.id)
  }

  /** As far as it can be told at the end of it: it asked in vain, and what it does stops nothing. */
  #checkAlone(reach: string): void {
    this.counts.alone++
    expect(reach).toBe('none')
    expect(this.#asked.length).toBeGreaterThanOrEqual(3)
  }
}

describe('any order of events and crashes', () => {
  it('keeps the rules, and brings what was begun to an end', { timeout: 120_000 }, () => {
    const total = { applied: 0, alone: 0, killed: 0, escalated: 0 }
    fc.assert(
      fc.property(
        fc.nat(RULES.length - 1),
        fc.array(moved, { minLength: 30, maxLength: 120, size: 'max' }),
        (index, all) => {
          const world = new World(index)
          for (const one of all) world.take(one)
          world.settle()
          for (const key of ['applied', 'alone', 'killed', 'escalated'] as const) total[key] += world.counts[key]
        },
      ),
      { numRuns: 120 },
    )
    // The property would hold as well if nothing ever happened.
    expect(total.applied).toBeGreaterThan(20)
    expect(total.killed).toBeGreaterThan(20)
    expect(total.escalated).toBeGreaterThan(0)
  })
})
