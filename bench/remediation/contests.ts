/** Values that fixes mended and that somebody set back, by the truth: what must not be mended a third time within the hour. */
import type { Finding } from '../../detectors/contract.ts'
import type { Plan } from '../../remediators/contract.ts'
import { quantityOf } from './fixes.ts'

const HOUR_MS = 3_600_000

interface Mended {
  readonly node: string
  readonly what: string
  /** True time of each verified fix, oldest first. */
  readonly verifiedAt: number[]
  /** Its node has reported since that it is not well any more. */
  isBack: boolean
}

export class Contests {
  readonly #mended = new Map<string, Mended>()

  verified({ node, changes }: Plan, now: number): void {
    for (const { what, before } of changes) {
      const known = this.#mended.get(keyOf(node, what, before)) ?? { node, what, verifiedAt: [], isBack: false }
      known.verifiedAt.push(now)
      known.isBack = false
      this.#mended.set(keyOf(node, what, before), known)
    }
  }

  reported(node: string, findings: readonly Finding[]): void {
    const seen = new Set(findings.filter(({ held }) => held === undefined).map(quantityOf))
    for (const mended of this.#mended.values()) if (mended.node === node && seen.has(mended.what)) mended.isBack = true
  }

  /** What comes back over a restart can be the restart's doing: nobody saw it come. */
  restarted(node: string): void {
    for (const [key, mended] of this.#mended) if (mended.node === node && !mended.isBack) this.#mended.delete(key)
  }

  /** The first of its values that this would mend for the third time; undefined when there is none. */
  thirdTime({ node, changes }: Plan, now: number): string | undefined {
    return changes.find(({ what, before }) => {
      const first = this.#mended.get(keyOf(node, what, before))?.verifiedAt.at(-2)
      return first !== undefined && now - first <= HOUR_MS
    })?.what
  }
}

function keyOf(node: string, what: string, before: string): string {
  return `${node} ${what} ${before}`
}
