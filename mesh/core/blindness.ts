/**
 * Where nobody could be convicted, because those who watch are unfit themselves. Silence must never pass for health: too
 * much abstention is an alarm (docs/protocol.md section 5).
 */
import type { Membership } from './membership.ts'
import type { Notice } from './message.ts'

/** Of all members; a starved quarter is more than a busy machine here and there. */
const CELL_SHARE = 0.25

export class Blindness {
  readonly #membership: Membership
  #subjects: readonly string[] = []
  #why: string | undefined

  constructor(membership: Membership) {
    this.#membership = membership
  }

  /** Subjects of which more than half of the observers do not vote at present. */
  get subjects(): readonly string[] {
    return this.#subjects
  }

  /** What the alarm says; undefined while there is none. */
  get why(): string | undefined {
    return this.#why
  }

  /** Who does not vote now: degraded, or without a living agent. Tells when the alarm begins, changes and ends. */
  update(abstaining: ReadonlySet<string>): readonly Notice[] {
    const { members } = this.#membership.roster
    const blind =
      abstaining.size === 0 ? [] : members.map(({ node }) => node).filter((node) => this.#isBlind(node, abstaining))
    const isDark = abstaining.size > 0 && abstaining.size >= members.length * CELL_SHARE
    const why = whyBlind(blind.length, isDark ? abstaining.size : 0, members.length)
    const isSame =
      blind.length === this.#subjects.length && blind.every((node, index) => node === this.#subjects[index])
    if (isSame && (why === undefined) === (this.#why === undefined)) return []
    const was = this.#why
    this.#subjects = blind
    this.#why = why
    if (why === undefined) return was === undefined ? [] : [{ kind: 'blind', open: false, subjects: [], why: was }]
    return [{ kind: 'blind', open: true, subjects: blind, why }]
  }

  #isBlind(subject: string, abstaining: ReadonlySet<string>): boolean {
    const observers = [...this.#membership.observersOf(subject).keys()]
    return observers.filter((node) => abstaining.has(node)).length * 2 > observers.length
  }
}

function whyBlind(subjects: number, abstaining: number, members: number): string | undefined {
  if (abstaining > 0) return `${abstaining} of ${members} members do not vote`
  return subjects > 0 ? `more than half of the observers of ${subjects} nodes do not vote` : undefined
}
