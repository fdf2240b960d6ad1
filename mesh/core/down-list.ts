/** The leader's down list as the mesh is told of it: at once when a verdict comes, changes or ends, and again before it lapses. */
import type { Leader } from './leader.ts'
import type { Effect } from './message.ts'
import type { DownNotice, Millis, Standing } from './model.ts'

export class DownList {
  readonly #leader: Leader
  readonly #everyMs: Millis
  #nextAt: Millis

  /** `ttlMs`: how long a notice holds. It is said again at a third of it, so that one loss is no gap. */
  constructor(now: Millis, leader: Leader, ttlMs: Millis) {
    this.#leader = leader
    this.#everyMs = ttlMs / 3
    this.#nextAt = now
  }

  get nextAt(): Millis {
    return this.#nextAt
  }

  /** `effects`: what the leader's last step gave. */
  tick(now: Millis, effects: readonly Effect[]): readonly DownNotice[] {
    const news = effects.flatMap((effect) => this.#after(now, effect))
    if (now < this.#nextAt) return news
    this.#nextAt = now + this.#everyMs
    const standing = [...this.#leader.conditions.standing.values()]
    return [...news, ...standing.map((verdict) => this.#notice(now, verdict, true))]
  }

  #after(now: Millis, effect: Effect): readonly DownNotice[] {
    if (effect.kind === 'commit') return [this.#notice(now, effect.certificate, true)]
    if (effect.kind !== 'notice') return []
    switch (effect.notice.kind) {
      case 'heardAgain':
        return [{ ...this.#notice(now, effect.notice.verdict, true), heard: true }]
      case 'announced':
      case 'isolated':
        return [this.#notice(now, effect.notice.verdict, true)]
      case 'recovered':
        return [this.#notice(now, effect.notice.verdict, false)]
      default:
        return []
    }
  }

  #notice(now: Millis, { subject, incarnation, verdictId, kind }: Standing, standing: boolean): DownNotice {
    const latest = this.#leader.lifeOf(subject)
    const recoverBeats = this.#leader.recoverBeats(now, subject)
    const about = { subject, incarnation, verdict: kind, verdictId, standing, latest, recoverBeats }
    return { kind: 'down', ...about, heard: false }
  }
}

/** The verdicts that stand, one a subject, by the down lists of several aggregators and a record: what any called ended is. */
export function standingIn(notices: readonly DownNotice[], onRecord: readonly Standing[]): readonly Standing[] {
  const heard = notices
    .filter(({ standing }) => standing)
    .map(({ verdictId, verdict: kind, subject, incarnation }): Standing => ({ verdictId, kind, subject, incarnation }))
  const standing = [...onRecord, ...heard].filter((verdict) => !hasEnded(notices, verdict))
  return [...new Map(standing.map((verdict) => [verdict.subject, verdict])).values()]
}

/** Whether any of the notices says that the verdict no longer stands. */
export function hasEnded(notices: readonly DownNotice[], { verdictId }: Pick<Standing, 'verdictId'>): boolean {
  return notices.some((notice) => !notice.standing && notice.verdictId === verdictId)
}
