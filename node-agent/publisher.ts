/**
 * What this agent says over the mesh. Detectors and remediators start before the mesh does, so what they say first is
 * kept until it runs; a report that says nothing new is said again only before it would expire.
 */
import type { Finding, PeerLink, PeerOffset } from '../detectors/contract.ts'
import type { DetectorReport } from '../detectors/engine/engine.ts'
import { encodeReport, reportTopic } from '../detectors/engine/report-note.ts'
import type { Vote } from '../mesh/core/core-options.ts'
import type { MeshNode } from '../mesh/libp2p/running-node.ts'
import { encodeWatching, WATCHING_TOPIC } from '../mesh/wire/watching.ts'
import type { Remediation } from '../remediators/contract.ts'
import { encodeNote, isOpen, remediationTopic } from '../remediators/notes.ts'

/** Notes outlive an aggregator's restart; what still holds is said again long before. */
export const NOTE_TTL_MS = 86_400_000

/** A peer measured longer ago than this says little about now. */
const MEASURED_MAX_AGE_MS = 10_000

/**
 * Of its time to live, from when on a report is said again: the next of a detector comes after a third of it and a tenth more,
 * and the one after that, if this one waits for it, still before the end.
 */
const RENEW_AT = 0.4

interface Note {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly ttlMs: number
}

/** What keeps what this node said, for whoever misses it. */
export interface Kept {
  report(detector: string, findings: readonly Finding[]): void
  remediation(change: Remediation): void
}

export class Publisher {
  readonly #outbox: Kept | undefined
  #mesh: MeshNode | undefined
  readonly #early = new Map<string, Note>()
  readonly #renewAt = new Map<string, number>()
  /** By topic, what holds until something else is said. */
  readonly #lasting = new Map<
    string,
    { readonly bytes: Uint8Array; readonly ttlMs: number; readonly renewAt: number }
  >()
  /** What the agent itself has found, by its name among the detectors. */
  readonly #own = new Map<string, readonly Finding[]>()
  #watching = ''

  constructor(outbox?: Kept) {
    this.#outbox = outbox
  }

  get mesh(): MeshNode | undefined {
    return this.#mesh
  }

  start(mesh: MeshNode): void {
    this.#mesh = mesh
    for (const { topic, bytes, ttlMs } of this.#early.values()) mesh.publish(topic, bytes, ttlMs)
    this.#early.clear()
  }

  publish(topic: string, bytes: Uint8Array, ttlMs: number): void {
    this.#lasting.delete(topic)
    if (this.#mesh === undefined) this.#early.set(topic, { topic, bytes, ttlMs })
    else this.#mesh.publish(topic, bytes, ttlMs)
  }

  /** Says what holds until something else is said about `topic`: `renew` says it again before it would expire. */
  publishLasting(topic: string, bytes: Uint8Array, ttlMs = NOTE_TTL_MS): void {
    this.publish(topic, bytes, ttlMs)
    this.#lasting.set(topic, { bytes, ttlMs, renewAt: performance.now() + ttlMs * RENEW_AT })
  }

  /** A plan can wait for days, and an aggregator that starts again knows it only while the note counts. */
  remediation(change: Remediation): void {
    this.#outbox?.remediation(change)
    const topic = remediationTopic(change.plan.id)
    if (isOpen(change)) this.publishLasting(topic, encodeNote(change))
    else this.publish(topic, encodeNote(change), NOTE_TTL_MS)
  }

  report({ detector, findings, changed }: DetectorReport): void {
    const now = performance.now()
    this.#outbox?.report(detector, findings)
    if (!changed && now < (this.#renewAt.get(detector) ?? 0)) return
    // A detector that was switched off has no findings: an empty report takes back what it said before.
    const ttlMs = findings.length === 0 ? NOTE_TTL_MS : Math.min(...findings.map((finding) => finding.ttlMs))
    this.#renewAt.set(detector, now + ttlMs * RENEW_AT)
    this.publish(reportTopic(detector), encodeReport(findings), ttlMs)
  }

  /** Findings of the agent itself, of one name: no detector says them again, so `renew` does. */
  reportOwn(first: Finding, ...others: readonly Finding[]): void {
    const { detector } = first
    const findings = [first, ...others]
    this.#own.set(detector, findings)
    this.report({ detector, findings, changed: true })
  }

  /** What the agent itself found, as it said it last. */
  get own(): ReadonlyMap<string, readonly Finding[]> {
    return this.#own
  }

  /** Says again what would expire of what the agent itself found, and of what lasts. */
  renew(): void {
    const now = performance.now()
    for (const [topic, { bytes, ttlMs, renewAt }] of this.#lasting) {
      if (now >= renewAt) this.publishLasting(topic, bytes, ttlMs)
    }
    const observedAt = new Date().toISOString()
    for (const [detector, findings] of this.#own) {
      this.report({ detector, findings: findings.map((finding) => ({ ...finding, observedAt })), changed: false })
    }
  }

  /** Which subjects this node could convict, said when it changes and before it would expire. */
  watching(): void {
    const subjects = this.#mesh?.convictable.toSorted() ?? []
    const said = subjects.join('\n')
    if (said === this.#watching) return
    this.#watching = said
    this.publishLasting(WATCHING_TOPIC, encodeWatching(subjects))
  }

  /**
   * Offsets of the peers' clocks from ours as it is now, also when it was set since they were measured; the error is half of
   * the round trip, since either way may have taken all of it.
   */
  peerOffsets(): readonly PeerOffset[] {
    if (this.#mesh === undefined) return []
    const now = this.#mesh.now()
    const ourAheadMs = Date.now() - now
    return this.#mesh.peerClocks
      .filter(({ atMs }) => now - atMs <= MEASURED_MAX_AGE_MS)
      .map(({ node, aheadMs, rttMs }) => ({ node, offsetMs: aheadMs - ourAheadMs, errorMs: rttMs / 2 }))
  }
  /** How this node judges those that it observes; nothing before it is in a mesh. */
  votes(): readonly Vote[] {
    return this.#mesh?.votes() ?? []
  }

  /** Of `me`, this node, to the peers that it still talks to; one that is down has no link to be judged. */
  peerLinks(me: string): readonly PeerLink[] {
    const mesh = this.#mesh
    if (mesh === undefined) return []
    const now = mesh.now()
    const zones = new Map(mesh.roster.members.map(({ node, zone }) => [node, zone]))
    return mesh
      .peerLinks()
      .filter(({ atMs }) => now - atMs <= MEASURED_MAX_AGE_MS)
      .map(({ node, beats, lost, medianMs, p95Ms }) => {
        return { node, isNear: zones.get(node) === zones.get(me), beats, lost, medianMs, p95Ms }
      })
  }
}
