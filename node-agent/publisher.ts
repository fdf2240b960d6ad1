/**
 * What this agent says over the mesh. Detectors and remediators start before the mesh does, so what they say first is
 * kept until it runs; a report that says nothing new is said again only before it would expire.
 */
import type { Finding, PeerOffset } from '../detectors/contract.ts'
import type { DetectorReport } from '../detectors/engine/engine.ts'
import { encodeReport, reportTopic } from '../detectors/engine/report-note.ts'
import type { MeshNode } from '../mesh/libp2p/mesh-node.ts'
import { encodeWatching, WATCHING_TOPIC } from '../mesh/wire/watching.ts'

/** Notes outlive an aggregator's restart; what still holds is said again long before. */
export const NOTE_TTL_MS = 86_400_000

/** A clock measured longer ago than this says little about now. */
const CLOCK_SAMPLE_MAX_AGE_MS = 10_000

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

export class Publisher {
  #mesh: MeshNode | undefined
  readonly #early = new Map<string, Note>()
  readonly #renewAt = new Map<string, number>()
  /** What the agent itself has found, by its name among the detectors. */
  readonly #own = new Map<string, Finding>()
  #watching = ''

  get mesh(): MeshNode | undefined {
    return this.#mesh
  }

  start(mesh: MeshNode): void {
    this.#mesh = mesh
    for (const { topic, bytes, ttlMs } of this.#early.values()) mesh.publish(topic, bytes, ttlMs)
    this.#early.clear()
  }

  publish(topic: string, bytes: Uint8Array, ttlMs: number): void {
    if (this.#mesh === undefined) this.#early.set(topic, { topic, bytes, ttlMs })
    else this.#mesh.publish(topic, bytes, ttlMs)
  }

  report({ detector, findings, changed }: DetectorReport): void {
    const now = performance.now()
    if (!changed && now < (this.#renewAt.get(detector) ?? 0)) return
    // A detector that was switched off has no findings: an empty report takes back what it said before.
    const ttlMs = findings.length === 0 ? NOTE_TTL_MS : Math.min(...findings.map((finding) => finding.ttlMs))
    this.#renewAt.set(detector, now + ttlMs * RENEW_AT)
    this.publish(reportTopic(detector), encodeReport(findings), ttlMs)
  }

  /** A finding of the agent itself: no detector says it again, so `renew` does. */
  reportOwn(finding: Finding): void {
    this.#own.set(finding.detector, finding)
    this.report({ detector: finding.detector, findings: [finding], changed: true })
  }

  /** Says again what of the agent's own findings would expire. */
  renew(): void {
    const observedAt = new Date().toISOString()
    for (const [detector, finding] of this.#own) {
      this.report({ detector, findings: [{ ...finding, observedAt }], changed: false })
    }
  }

  /** Which subjects this node could convict, said when it changes. */
  watching(): void {
    const subjects = this.#mesh?.convictable.toSorted() ?? []
    const said = subjects.join('\n')
    if (said === this.#watching) return
    this.#watching = said
    this.publish(WATCHING_TOPIC, encodeWatching(subjects), NOTE_TTL_MS)
  }

  /** Offsets of the peers' clocks; the error is half of the round trip, since either way may have taken all of it. */
  peerOffsets(): readonly PeerOffset[] {
    if (this.#mesh === undefined) return []
    const now = this.#mesh.now()
    return this.#mesh.peerClocks
      .filter(({ atMs }) => now - atMs <= CLOCK_SAMPLE_MAX_AGE_MS)
      .map(({ node, offsetMs, rttMs }) => ({ node, offsetMs, errorMs: rttMs / 2 }))
  }
}
