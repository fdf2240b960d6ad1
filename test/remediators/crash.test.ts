/**
 * Kills the agent at every single point of a fix, before and after each effect, and lets it start again from its disk; and
 * then once more at every point of that second life. Whatever the points, nothing may be applied twice for one permit, and
 * the fix must end verified, put back, waiting for a person, or with a person told.
 */
import { describe, expect, it } from 'vitest'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import { activeFix, type Effect, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { aroundWith, at, autoRules, decisionFor, differs, ok, permitFor, rulesFor } from './parts.ts'

class Killed extends Error {}

/** A host with one kernel parameter, a disk, a leader that permits, and a person who approves; the agent on it can be killed. */
class World {
  swappiness = '60'
  /** By permit. */
  readonly applied = new Map<string, number>()
  /** What others believe: the last phase that was announced. */
  announced = 'none'
  #disk = encodeFixState(EMPTY_FIX_STATE)
  #ms = 0
  #asked = 0
  #pointsLeft = 0
  readonly #rules: Rules
  readonly #helps: boolean

  /** `helps`: the fault is gone once the value is right. */
  constructor(rules: Rules, helps: boolean) {
    this.#rules = rules
    this.#helps = helps
  }

  get onDisk(): FixState {
    return decodeFixState(this.#disk)
  }

  /** Lives until killed, at the point counted from 0 (returns true), or until nothing is left to do. */
  live(killAt: number): boolean {
    this.#pointsLeft = killAt
    try {
      let state = this.onDisk
      const pending: FixInput[] = [{ kind: 'resume' }, this.#report(), this.#tick(), this.#report(), this.#tick()]
      for (let decided = false; ; ) {
        const input = pending.shift() ?? (decided ? undefined : this.#decision(state))
        if (input === undefined) return false
        if (input.kind === 'decision') {
          decided = true
          pending.push(this.#tick(), this.#report())
        }
        this.#ms += 1_000
        const result = step(this.#rules, state, at(this.#ms), input)
        state = result.state
        for (const effect of result.effects) pending.push(...this.#perform(effect, state))
      }
    } catch (error) {
      if (error instanceof Killed) return true
      throw error
    }
  }

  /** The same in each life: it reaches the agent again after a restart. */
  #decision(state: FixState): FixInput | undefined {
    const open = state.fixes.find(({ remediation }) => remediation.phase === 'awaiting-approval')?.remediation.plan
    return open && { kind: 'decision', decision: decisionFor(open) }
  }

  #perform(effect: Effect, state: FixState): FixInput[] {
    this.#mayDie()
    const done = this.#carryOut(effect, state)
    this.#mayDie()
    return done
  }

  #carryOut(effect: Effect, state: FixState): FixInput[] {
    switch (effect.kind) {
      case 'save':
        this.#disk = encodeFixState(state)
        return []
      case 'announce':
        expect(this.onDisk.fixes.map(({ remediation }) => remediation)).toContainEqual(effect.remediation)
        this.announced = effect.remediation.phase
        return []
      case 'refuse':
      case 'inspect':
        return []
      case 'ask': {
        const { nonce, planId } = effect.request
        const plan = state.fixes.find(({ remediation }) => remediation.plan.id === planId)?.remediation.plan
        return plan === undefined
          ? []
          : [{ kind: 'permit', permit: permitFor(plan, { id: `permit-${++this.#asked}`, nonce }) }]
      }
      case 'collect':
        return [{ kind: 'collected', planId: effect.plan.id, result: { kind: 'none' } }]
      case 'apply': {
        const permit = effect.permit?.id ?? 'none'
        expect(this.onDisk.usedPermits).toContain(permit)
        this.applied.set(permit, (this.applied.get(permit) ?? 0) + 1)
        this.swappiness = effect.plan.changes[0]?.after ?? ''
        return [{ kind: 'applied', planId: effect.plan.id, result: { kind: 'ok' } }, this.#tick()]
      }
      case 'verify':
        return [{ kind: 'verified', planId: effect.plan.id, findings: [this.#finding()] }, this.#tick()]
      case 'revert':
        this.swappiness = effect.plan.changes[0]?.before ?? ''
        return [{ kind: 'reverted', planId: effect.plan.id, failure: null }, this.#tick(), this.#report()]
    }
  }

  #finding() {
    return this.#helps && this.swappiness === '10' ? ok : differs()
  }

  #tick(): FixInput {
    return { kind: 'tick', around: aroundWith({ nonce: `${this.#asked}`.padStart(32, '0') }) }
  }

  #report(): FixInput {
    return { kind: 'report', detector: 'kernel-params', findings: [this.#finding()] }
  }

  #mayDie(): void {
    if (this.#pointsLeft-- === 0) throw new Killed()
  }
}

const NEVER = Number.POSITIVE_INFINITY

/** The phases in which the fix ended, over all points at which it was killed once and twice, and those of a life without. */
function phasesAfterKills(rules: Rules, helps: boolean) {
  const phases = new Set<string>()
  let lives = 0
  const ended = (world: World) => {
    for (const times of world.applied.values()) expect(times).toBe(1)
    const state = world.onDisk
    expect(activeFix(state)).toBeUndefined()
    const phase = state.fixes[0]?.remediation.phase ?? 'none'
    expect(world.announced).toBe(phase)
    // What the record says is what the host has.
    expect(world.swappiness).toBe(phase === 'verified' ? '10' : '60')
    phases.add(phase)
    lives++
  }
  for (let first = 0; ; first++) {
    const once = new World(rules, helps)
    const isKilled = once.live(first)
    if (isKilled) expect(once.live(NEVER)).toBe(false)
    ended(once)
    if (!isKilled)
      return { phases: [...phases].toSorted(), lives, undisturbed: once.onDisk.fixes[0]?.remediation.phase }
    for (let second = 0; ; second++) {
      const twice = new World(rules, helps)
      twice.live(first)
      if (!twice.live(second)) break
      expect(twice.live(NEVER)).toBe(false)
      ended(twice)
    }
  }
}

describe('an agent that is killed at any point of a fix, and again', () => {
  it('has it verified, or the host as it was and a plan that waits or did not help', () => {
    const { phases, lives, undisturbed } = phasesAfterKills(rulesFor(), true)
    expect(undisturbed).toBe('verified')
    expect(lives).toBeGreaterThan(500)
    expect(phases).toEqual(['awaiting-approval', 'escalated', 'verified'])
  })

  it('puts back what did not help, and tells a person', () => {
    const { phases, undisturbed } = phasesAfterKills(rulesFor(), false)
    expect(undisturbed).toBe('escalated')
    expect(phases).toEqual(['awaiting-approval', 'escalated'])
  })

  it('needs nobody where its rule is automatic', () => {
    const { phases, undisturbed } = phasesAfterKills(autoRules(), true)
    expect(undisturbed).toBe('verified')
    expect(phases).toEqual(['escalated', 'verified'])
  })
})
