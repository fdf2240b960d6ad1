/** The latest life of each member that the leader has heard of, and who comes back in one that it was convicted in. */
import type { Notice } from './message.ts'
import type { Incarnation, Standing } from './model.ts'
import { compareIncarnations } from './model.ts'

const NO_LIFE: Incarnation = { serial: 0, boot: 0, refutations: 0 }

export class Lives {
  readonly #latest = new Map<string, Incarnation>()
  /** The convicted life of those whose hosts answer again: in which life their agents are will be seen. */
  readonly #awaited = new Map<string, Incarnation>()

  of(subject: string): Incarnation {
    return this.#latest.get(subject) ?? NO_LIFE
  }

  /** False for what is no news. */
  heard(subject: string, incarnation: Incarnation): boolean {
    const known = this.#latest.get(subject)
    if (known !== undefined && compareIncarnations(incarnation, known) <= 0) return false
    this.#latest.set(subject, incarnation)
    return true
  }

  /** Whose agent is heard again, by this news, in the very life in which it was convicted. */
  backAsItWas(news: Notice): string | undefined {
    if (news.kind === 'recovered' && news.by === 'agent') return this.#unlessSucceeded(news.verdict)
    if (news.kind === 'recovered' && news.by === 'host')
      this.#awaited.set(news.verdict.subject, news.verdict.incarnation)
    if (news.kind !== 'agentUp') return undefined
    const incarnation = this.#awaited.get(news.subject)
    this.#awaited.delete(news.subject)
    return incarnation === undefined ? undefined : this.#unlessSucceeded({ subject: news.subject, incarnation })
  }

  #unlessSucceeded({ subject, incarnation }: Pick<Standing, 'subject' | 'incarnation'>): string | undefined {
    return this.#isSucceeded(subject, incarnation) ? undefined : subject
  }

  /** Whether the subject is known to have begun a later life than this one: not only to have contradicted a verdict in it. */
  #isSucceeded(subject: string, { serial, boot }: Incarnation): boolean {
    const life = this.#latest.get(subject)
    return life !== undefined && (life.serial !== serial || life.boot !== boot)
  }

  /** Forgets whoever is no member any more. */
  retain(isMember: (node: string) => boolean): void {
    for (const kept of [this.#latest, this.#awaited])
      for (const node of kept.keys()) if (!isMember(node)) kept.delete(node)
  }
}
