/**
 * The simulated network: what happens to one packet on its way between two machines. Faults lie on it one over another;
 * each is put on and taken off by whoever made it.
 */

/** One way over a switched network, ms. */
const LATENCY_MIN_MS = 0.2
const LATENCY_MAX_MS = 2

/** Loses packets on some ways. */
export interface Impairment {
  /** Share of the packets that are lost, above 0 and at most 1, which is a block. */
  readonly loss: number
  appliesTo(from: string, to: string): boolean
}

export class Network {
  readonly #random: () => number
  readonly #impairments = new Set<Impairment>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Returns what takes it off again. */
  impair(impairment: Impairment): () => void {
    this.#impairments.add(impairment)
    return () => {
      this.#impairments.delete(impairment)
    }
  }

  /** How long a packet sent now takes, ms; undefined when it is lost. */
  fate(from: string, to: string): number | undefined {
    for (const impairment of this.#impairments) {
      if (impairment.appliesTo(from, to) && this.#random() < impairment.loss) return undefined
    }
    return this.latency()
  }

  latency(): number {
    return LATENCY_MIN_MS + (LATENCY_MAX_MS - LATENCY_MIN_MS) * this.#random()
  }

  /** Whether nothing is lost between the two, in either direction. */
  isClean(a: string, b: string): boolean {
    for (const impairment of this.#impairments) {
      if (impairment.appliesTo(a, b) || impairment.appliesTo(b, a)) return false
    }
    return true
  }

  /** Whether no packet passes from one to the other, or none back: no connection works. */
  isCut(a: string, b: string): boolean {
    for (const { loss, appliesTo } of this.#impairments) {
      if (loss >= 1 && (appliesTo(a, b) || appliesTo(b, a))) return true
    }
    return false
  }
}

/** Acts on every packet into (`ingress`) or out of (`egress`) these nodes, or both. */
export function around(
  nodes: ReadonlySet<string>,
  loss: number,
  direction: 'ingress' | 'egress' | 'both' = 'both',
): Impairment {
  const ingress = direction !== 'egress'
  const egress = direction !== 'ingress'
  return { loss, appliesTo: (from, to) => (egress && nodes.has(from)) || (ingress && nodes.has(to)) }
}

/** Acts on packets from one group to another; `oneWay: false`: and back. */
export function between(from: ReadonlySet<string>, to: ReadonlySet<string>, loss: number, oneWay: boolean): Impairment {
  return {
    loss,
    appliesTo: (a, b) => (from.has(a) && to.has(b)) || (!oneWay && to.has(a) && from.has(b)),
  }
}
