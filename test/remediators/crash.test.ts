/**
 * Kills the agent at every single point of a fix, before and after each effect, and lets it start again from its disk.
 * Whatever the point, nothing may be applied twice, and the fix must end verified, put back, or waiting for a person.
 */
import { describe, expect, it } from 'vitest'
import { type FixInput, step } from '../../remediators/engine.ts'
import { activeFix, type Effect, EMPTY_FIX_STATE, type FixState } from '../../remediators/state.ts'
import { decodeFixState, encodeFixState } from '../../remediators/store.ts'
import { at, decisionFor, differs, ok, rulesFor } from './parts.ts'

class Killed extends Error {}

/** A host with one kernel parameter, a disk, and one person who approves once; the agent on it can be killed. */
class World {
  swappiness = '60'
  applied = 0
  /** What others believe: the last phase that was announced. */
  announced = 'none'
  #disk = encodeFixState(EMPTY_FIX_STATE)
  #ms = 0
  #pointsLeft: number
  readonly #helps: boolean

  /** `helps`: the fault is gone once the value is right. `killAt`: the point, counted from 0, at which the agent is killed. */
  constructor(helps: boolean, killAt: number) {
    this.#helps = helps
    this.#pointsLeft = killAt
  }

  get onDisk(): FixState {
    return decodeFixState(this.#disk)
  }

  /** Lives until killed (returns true) or until nothing is left to do. */
  live(): boolean {
    try {
      let state = this.onDisk
      const pending: FixInput[] = [{ kind: 'resume' }, this.#report(), { kind: 'tick' }]
      for (let asked = false; ; ) {
        const input = pending.shift()
        if (input === undefined) {
          const open = state.fixes.find(({ stage }) => stage.kind === 'waiting')?.remediation.plan
          if (open === undefined || asked) return false
          asked = true
          // The same decision in each life: it reaches the agent again after a restart.
          pending.push({ kind: 'decision', decision: decisionFor(open) }, { kind: 'tick' })
          continue
        }
        const result = step(rulesFor(), state, at(this.#ms++), input)
        state = result.state
        for (const effect of result.effects) pending.push(...this.#perform(effect, state))
      }
    } catch (error) {
      if (error instanceof Killed) return true
      throw error
    }
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
        return []
      case 'apply':
        this.applied++
        this.swappiness = effect.plan.changes[0]?.after ?? ''
        return [{ kind: 'applied', planId: effect.plan.id, result: { kind: 'ok' } }, { kind: 'tick' }]
      case 'verify':
        return [{ kind: 'verified', planId: effect.plan.id, findings: [this.#finding()] }, { kind: 'tick' }]
      case 'revert':
        this.swappiness = effect.plan.changes[0]?.before ?? ''
        return [{ kind: 'reverted', planId: effect.plan.id, failure: null }, { kind: 'tick' }]
    }
  }

  #finding() {
    return this.#helps && this.swappiness === '10' ? ok : differs()
  }

  #report(): FixInput {
    return { kind: 'report', detector: 'kernel-params', findings: [this.#finding()] }
  }

  #mayDie(): void {
    if (this.#pointsLeft-- === 0) throw new Killed()
  }
}

function phasesAfterKills(helps: boolean): Map<number, string> {
  const ends = new Map<number, string>()
  for (let killAt = 0; ; killAt++) {
    const world = new World(helps, killAt)
    const killed = world.live()
    if (killed) expect(world.live()).toBe(false)
    expect(world.applied).toBeLessThanOrEqual(1)
    const state = world.onDisk
    expect(activeFix(state)).toBeUndefined()
    const [fix] = state.fixes
    const phase = fix?.remediation.phase ?? 'none'
    expect(world.announced).toBe(phase)
    // What the record says is what the host has.
    expect(world.swappiness).toBe(phase === 'verified' ? '10' : '60')
    if (!killed) return ends.set(-1, phase)
    ends.set(killAt, phase)
  }
}

describe('an agent that is killed at any point of a fix', () => {
  it('has it verified, or the host as it was and a plan that waits', () => {
    const ends = phasesAfterKills(true)
    expect(ends.get(-1)).toBe('verified')
    expect(ends.size).toBeGreaterThan(15)
    expect([...new Set(ends.values())].toSorted()).toEqual(['awaiting-approval', 'reverted', 'verified'])
  })

  it('puts back what did not help', () => {
    const ends = phasesAfterKills(false)
    expect(ends.get(-1)).toBe('reverted')
    expect(ends.size).toBeGreaterThan(18)
    expect([...new Set(ends.values())].toSorted()).toEqual(['awaiting-approval', 'reverted'])
  })
})
