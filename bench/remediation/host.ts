/** The truth about one simulated host: what ails it, what its detectors make of that, and what a fix does to it. */
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import type { Dice } from './dice.ts'
import { AILMENTS, type Ailment, ETCD, quantityOf } from './fixes.ts'

export interface Sickness {
  readonly ailment: Ailment
  readonly cause: string
  /** RFC 3339, by the clock of the host. */
  readonly since: string
  /** Names of the remediators that really mend it; of one with its cause elsewhere none does. */
  readonly cures: ReadonlySet<string>
}

/** Eight minutes lie between two reports, and one may be lost. */
const TTL_MS = 1_200_000
const UNKNOWN_SHARE = 0.04
const FLAPPING_SHARE = 0.03

export class SimHost {
  readonly node: string
  readonly isEtcd: boolean
  readonly sick = new Map<string, Sickness>()
  readonly #values = new Map<string, string>()
  readonly #dice: Dice
  #changes = 0

  constructor(node: string, isEtcd: boolean, dice: Dice) {
    this.node = node
    this.isEtcd = isEtcd
    this.#dice = dice
  }

  /** `value`: what shows of it; another each time when left out. */
  falls(sickness: Sickness, value?: string): void {
    const what = quantityOf({ reason: sickness.ailment.reason, cause: sickness.cause })
    if (this.sick.has(what)) return
    this.sick.set(what, sickness)
    if (value === undefined) this.meddle(what)
    else this.#values.set(what, value)
  }

  /** It went by itself, or a person mended it. */
  heals(what: string): void {
    this.sick.delete(what)
    this.#values.set(what, 'fine')
  }

  /** Somebody else set the value to something. */
  meddle(what: string): void {
    this.#values.set(what, `set-${++this.#changes % 7}`)
  }

  /** Detectors that have something to say. */
  detectors(): readonly string[] {
    const all = [...this.sick.values()].map(({ ailment }) => ailment.detector)
    return [...new Set(this.isEtcd ? [ETCD, ...all] : all)]
  }

  /** What `detector` says now: nearly always the truth, sometimes that it cannot tell. */
  look(detector: string, wall: string): readonly Finding[] {
    if (this.#dice.chance(UNKNOWN_SHARE)) return [this.#finding(detector, 'ProbeFailed', '', 'unknown', wall, wall)]
    const standing = [...this.sick.values()].filter(({ ailment }) => ailment.detector === detector)
    if (standing.length === 0) return [this.#finding(detector, 'Ok', '', 'ok', wall, wall)]
    return standing.map(({ ailment: { reason }, cause, since }) => {
      const finding = this.#finding(detector, reason, cause, 'alarm', since, wall)
      return this.#dice.chance(FLAPPING_SHARE) ? { ...finding, held: 'flapping' } : finding
    })
  }

  /** False when the host is not as the plan says. */
  fits({ changes }: Plan): boolean {
    return changes.every(({ what, before, after }) => [before, after].includes(this.#valueAt(what)))
  }

  change({ changes, remediator }: Plan): void {
    for (const { what, after } of changes) {
      this.#values.set(what, after)
      if (this.sick.get(what)?.cures.has(remediator)) this.sick.delete(what)
    }
  }

  putBack({ changes }: Plan): void {
    for (const { what, before } of changes) this.#values.set(what, before)
  }

  isSick({ detector }: Pick<Plan, 'detector'>): boolean {
    return [...this.sick.values()].some(({ ailment }) => ailment.detector === detector)
  }

  #valueAt(what: string): string {
    return this.#values.get(what) ?? ''
  }

  #finding(
    detector: string,
    reason: string,
    cause: string,
    status: Finding['status'],
    since: string,
    observedAt: string,
  ): Finding {
    const { node } = this
    const value = this.#valueAt(quantityOf({ reason, cause }))
    return {
      id: `${node}/${detector}/${reason}/${cause}#${since}`,
      ...{ node, detector, reason, cause, status, since, observedAt },
      summary: `${reason} ${cause}`,
      evidence: [{ name: 'value', value, unit: '' }],
      ttlMs: TTL_MS,
    }
  }
}

/** Something that ails a host, of its own or of a cause that it shares with others, which nothing done on a host mends. */
export function fallIll(dice: Dice, since: string, isShared: boolean, ailment = somethingToAil(dice)): Sickness {
  const cures = isShared ? [] : ailment.mended.filter(() => dice.chance(0.7))
  return { ailment, cause: dice.pick(ailment.causes) ?? '', since, cures: new Set(cures) }
}

/** A member of etcd that is unwell keeps most else from being done, so it is rare. */
function somethingToAil(dice: Dice): Ailment {
  const mendable = AILMENTS.filter(({ mended }) => mended.length > 0)
  const ailment = dice.pick(dice.chance(0.02) ? AILMENTS : mendable)
  if (ailment === undefined) throw new Error('there are no ailments')
  return ailment
}
