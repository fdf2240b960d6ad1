/** The opted-in pods as they were told, by group. What is older than what is known is not taken. */
import { type GatedPod, gatedPod } from '../marking/gates.ts'
import type { PodNews } from './opted-pods.ts'

interface Row {
  readonly pod: GatedPod
  /** In which telling of all pods it was last told. */
  readonly round: number
}

export class PodTable {
  readonly #rows = new Map<string, Row>()
  readonly #groups = new Map<string, Set<string>>()
  #round = 0
  #isWhole = false

  /** All pods that there are have been told. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  group(name: string): readonly GatedPod[] {
    return [...(this.#groups.get(name) ?? [])].flatMap((key) => this.#rows.get(key)?.pod ?? [])
  }

  groupsOn(nodes: ReadonlySet<string>): ReadonlySet<string> {
    const pods = [...this.#rows.values()].map(({ pod }) => pod)
    return new Set(pods.filter(({ node }) => nodes.has(node)).map(({ group }) => group))
  }

  /** The groups in which something may have changed. */
  take(news: PodNews): ReadonlySet<string> {
    switch (news.kind) {
      case 'anew':
        this.#round++
        this.#isWhole = false
        return new Set()
      case 'whole':
        this.#isWhole = true
        for (const [key, { round }] of this.#rows) if (round !== this.#round) this.#remove(key)
        return new Set(this.#groups.keys())
      case 'pod':
      case 'gone': {
        const pod = gatedPod(news.pod)
        return new Set(pod === undefined ? [] : this.#put(pod, news.kind === 'gone'))
      }
    }
  }

  #put(pod: GatedPod, isGone: boolean): readonly string[] {
    const key = `${pod.namespace}/${pod.name}`
    const before = this.#rows.get(key)?.pod
    const isOld = before !== undefined && BigInt(before.version) > BigInt(pod.version)
    const known = isOld ? before : pod
    this.#remove(key)
    if (isOld || !isGone) {
      this.#rows.set(key, { pod: known, round: this.#round })
      const group = this.#groups.get(known.group) ?? new Set()
      this.#groups.set(known.group, group.add(key))
    }
    return isOld ? [] : [pod.group, before?.group ?? pod.group]
  }

  #remove(key: string): void {
    const name = this.#rows.get(key)?.pod.group ?? ''
    const group = this.#groups.get(name)
    this.#rows.delete(key)
    group?.delete(key)
    if (group?.size === 0) this.#groups.delete(name)
  }
}
