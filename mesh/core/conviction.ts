/**
 * A roll-call that convicts somebody, between its count and the commit: where kubelets' Leases can be read, one reading of
 * each decides whether the node is down, or cut off from its peers and alive.
 */
import type { Effect } from './message.ts'
import type { Certificate, Conclusion, Heartbeat, Keyring, Millis, VerdictKind } from './model.ts'
import type { OpenRollCall } from './open-roll-call.ts'

export type Outcome =
  | { readonly kind: 'commit'; readonly verdict: VerdictKind; readonly certificate: Certificate }
  | { readonly kind: 'withheld'; readonly verdict: VerdictKind; readonly why: string }

export interface ConvictionOptions {
  readonly open: OpenRollCall
  readonly subjects: readonly string[]
  /** Observers that the count excused, with the record that excuses each. */
  readonly excused: ReadonlyMap<string, string>
  readonly figures: Pick<Conclusion, 'rosterHash' | 'present' | 'live'>
  /** Until when readings are waited for; undefined where there are none to read. */
  readonly readUntil: Millis | undefined
}

export class Conviction {
  readonly #options: ConvictionOptions
  readonly #readings = new Map<string, Heartbeat>()

  constructor(options: ConvictionOptions) {
    this.#options = options
  }

  get subjects(): readonly string[] {
    return this.#options.subjects
  }

  get open(): OpenRollCall {
    return this.#options.open
  }

  get readUntil(): Millis | undefined {
    return this.#options.readUntil
  }

  /** What has to be read before the commit. */
  get toRead(): readonly Effect[] {
    if (this.readUntil === undefined) return []
    return this.subjects.map((subject) => ({ kind: 'readHeartbeat', subject, silentMs: this.#silentMs(subject) }))
  }

  /** The shortest silence that its observers reported: whatever was renewed since then shows a living kubelet. */
  #silentMs(subject: string): Millis {
    const answers = this.open
      .answersAbout(subject)
      .filter(({ opinion }) => opinion !== 'Alive' && opinion !== 'Abstain')
    return Math.min(...answers.map(({ forMs }) => forMs))
  }

  read(subject: string, reading: Heartbeat): void {
    if (this.subjects.includes(subject)) this.#readings.set(subject, reading)
  }

  isDue(now: Millis): boolean {
    const { readUntil, subjects } = this.#options
    return readUntil === undefined || now >= readUntil || subjects.every((subject) => this.#readings.has(subject))
  }

  outcome(subject: string, keyring: Keyring): Outcome {
    const { open, excused, figures, readUntil } = this.#options
    const heartbeat = this.#readings.get(subject) ?? 'unread'
    const silence = open.kindOf(subject)
    // A hung host has no hard evidence against it but its stale Lease, where there is one.
    if (silence === 'HostHung' && heartbeat === 'unread' && readUntil !== undefined) {
      return { kind: 'withheld', verdict: silence, why: 'its Lease could not be read' }
    }
    const verdict = heartbeat === 'renewed' ? 'Isolated' : silence
    const certificate = open.certificate(subject, verdict, excused, { ...figures, heartbeat }, keyring)
    return { kind: 'commit', verdict, certificate }
  }
}
