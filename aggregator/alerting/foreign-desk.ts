/** Keeps what Alertmanagers said, until they say that it is over or do not say it again. */
import type { Finding } from '../../detectors/contract.ts'
import type { Journal } from '../event-model.ts'
import { type KnownNode, readWebhook, type WebhookPayload } from './foreign.ts'

const FACT = 'alerting/foreign'
/** Beyond it the oldest are let go. */
const KEPT_MAX = 2_000

export class ForeignAlerts {
  readonly #journal: Pick<Journal, 'readFact' | 'writeFact'>
  /** By id. */
  readonly #findings = new Map<string, Finding>()

  constructor(journal: Pick<Journal, 'readFact' | 'writeFact'>) {
    this.#journal = journal
    for (const finding of JSON.parse(journal.readFact(FACT) || '[]') as Finding[])
      this.#findings.set(finding.id, finding)
  }

  /** Of these nodes at this wall time, ms. What counts no more is forgotten. */
  findings(nodes: ReadonlySet<string>, now: number): readonly Finding[] {
    return [...this.#findings.values()].filter(({ node, observedAt, ttlMs }) => {
      return nodes.has(node) && now - Date.parse(observedAt) < ttlMs
    })
  }

  hear(payload: WebhookPayload, nodes: readonly KnownNode[], now: number) {
    const { firing, resolved, own, elsewhere } = readWebhook(payload, nodes, new Date(now).toISOString())
    for (const id of resolved) this.#findings.delete(id)
    for (const finding of firing) {
      // To the end of the line, so that the oldest is the first.
      this.#findings.delete(finding.id)
      this.#findings.set(finding.id, finding)
    }
    for (const [id, { observedAt, ttlMs }] of this.#findings) {
      if (this.#findings.size > KEPT_MAX || now - Date.parse(observedAt) >= ttlMs) this.#findings.delete(id)
    }
    this.#journal.writeFact(FACT, JSON.stringify([...this.#findings.values()]))
    return { taken: firing.length, resolved: resolved.length, own, elsewhere }
  }
}
