/** What aggregators wrote to the API server, by their own count. */
import type { Aggregator } from '../namespaces/mesh.ts'

const WRITES = /^starling_api_writes_total\{(.*)\} (\d+)$/gm
const RESOURCE = /resource="([^"]*)"/

/** By resource, such as `leases` or `pods/status`; refused and failed writes count as well. */
export async function writesOf(aggregators: readonly Aggregator[]): Promise<ReadonlyMap<string, number>> {
  const texts = await Promise.all(aggregators.map(metricsOf))
  const counts = new Map<string, number>()
  for (const [, labels = '', count] of texts.flatMap((text) => [...text.matchAll(WRITES)])) {
    const resource = RESOURCE.exec(labels)?.[1] ?? ''
    counts.set(resource, (counts.get(resource) ?? 0) + Number(count))
  }
  return counts
}

/** The one that leads; undefined while none does. */
export async function leaderOf(aggregators: readonly Aggregator[]): Promise<Aggregator | undefined> {
  const texts = await Promise.all(aggregators.map((each) => metricsOf(each).catch(() => '')))
  return aggregators.find((_, index) => /^starling_leader 1$/m.test(texts[index] ?? ''))
}

async function metricsOf({ gate }: Aggregator): Promise<string> {
  return (await fetch(`http://127.0.0.1:${gate.port}/metrics`)).text()
}
