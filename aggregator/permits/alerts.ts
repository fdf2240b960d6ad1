/** Which of the alerts that forbid a fix fire now, as Alertmanager says (its API v2). */
import { z } from 'zod'

/** As long as a fix may wait for one. */
const ANSWER_WITHIN_MS = 5_000
/** Some thousand alerts; one that sends without end does not keep the aggregator busy. */
const REPLY_BYTES_MAX = 8 * 1024 * 1024
const NAMES_MAX = 100

const reply = z.array(z.object({ labels: z.object({ alertname: z.string() }) }))

export interface AlertSource {
  /** Those of these names that fire, are not silenced and not inhibited. Rejects when there is no whole answer in time. */
  firing(names: readonly string[]): Promise<readonly string[]>
}

/** `url`: where Alertmanager answers, with the prefix of its routes if it has one. */
export function createAlertmanager(url: string, withinMs = ANSWER_WITHIN_MS): AlertSource {
  return {
    firing: async (names) => {
      // Several filters must all match, so the names are one. Alertmanager anchors its patterns.
      const filter = `alertname=~"${names.map(quoted).join('|')}"`
      const query = new URLSearchParams({ active: 'true', silenced: 'false', inhibited: 'false', filter })
      const address = `${url.replace(/\/+$/, '')}/api/v2/alerts?${query}`
      const answer = await fetch(address, { signal: AbortSignal.timeout(withinMs), redirect: 'error' })
      const text = await bounded(answer)
      if (!answer.ok) throw new Error(`Alertmanager answers with status ${answer.status}`)
      const alerts = reply.parse(JSON.parse(text)).map(({ labels }) => labels.alertname)
      return [...new Set(alerts)].slice(0, NAMES_MAX)
    },
  }
}

/** As RE2 reads it, within a string of PromQL's. */
function quoted(name: string): string {
  return name.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll(/["\\]/g, '\\$&')
}

async function bounded({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > REPLY_BYTES_MAX) throw new Error('the answer of Alertmanager is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
