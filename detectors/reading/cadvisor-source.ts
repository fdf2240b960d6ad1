/** One look at one server of cadvisor's figures: the kubelet, or a stand-alone one. */
import { type Host, Unreachable } from '../contract.ts'
import { type CadvisorFigures, metricsReader, readSummary } from './cadvisor-figures.ts'

/** Of a node with 500 pods the metrics are some 10 MB. Read as they come, and not kept. */
const METRICS_BYTES_MAX = 256 * 1024 * 1024
/** Of processor and memory alone it is about 1 KB a container. */
const SUMMARY_BYTES_MAX = 8 * 1024 * 1024

export interface CadvisorSource {
  /** `kubelet` has /metrics/cadvisor and /stats/summary, `stand-alone` has /metrics. */
  readonly kind: 'kubelet' | 'stand-alone'
  readonly url: string
  /** A path of the host with a bearer token. */
  readonly tokenFile?: string | undefined
}

/** What one page said: figures, or why there are none. */
export interface CadvisorPage {
  readonly path: string
  readonly figures?: CadvisorFigures
  /** Nobody answered in time. */
  readonly down?: string
  /** It answered that it fails. */
  readonly failed?: string
  /** Something else answers there. */
  readonly foreign?: string
}

/** Throws an Error where it is not let in, and for an answer of another form than its page has. */
export async function readSource(
  host: Host,
  source: CadvisorSource,
  withinMs: number,
  signal: AbortSignal,
): Promise<readonly CadvisorPage[]> {
  const { kind, url, tokenFile } = source
  const headers = tokenFile === undefined ? {} : { authorization: `Bearer ${(await host.readText(tokenFile)).trim()}` }
  // The kubelet signs its own certificate as a rule; asked is this host alone.
  const how = { signal, withinMs, headers, ...(url.startsWith('https:') ? { tls: { anyServer: true } } : {}) }
  const metrics = await page(kind === 'kubelet' ? '/metrics/cadvisor' : '/metrics', async (path) => {
    const reader = metricsReader()
    const { status } = await host.get(url + path, { ...how, bytesMax: METRICS_BYTES_MAX, onText: reader.take })
    return { status, figures: reader.end }
  })
  if (kind === 'stand-alone' || metrics.down !== undefined || metrics.foreign !== undefined) return [metrics]
  const summary = await page('/stats/summary', async (path) => {
    const asked = `${url}${path}?only_cpu_and_memory=true`
    const { status, body } = await host.get(asked, { ...how, bytesMax: SUMMARY_BYTES_MAX })
    return { status, figures: () => readSummary(asked, body) }
  })
  return [metrics, summary]

  async function page(
    path: string,
    ask: (path: string) => Promise<{ status: number; figures: () => CadvisorFigures }>,
  ): Promise<CadvisorPage> {
    try {
      const { status, figures } = await ask(path)
      if (status === 401 || status === 403) throw new Error(`${url}${path} does not let the agent in: HTTP ${status}`)
      if (status >= 500) return { path, failed: `it answers with HTTP ${status}` }
      if (status !== 200) return { path, foreign: `${url}${path} answers with HTTP ${status}` }
      const said = figures()
      const isCadvisor = said.containers.length > 0 || said.scrapeError !== undefined || path === '/stats/summary'
      return isCadvisor ? { path, figures: said } : { path, foreign: `${url}${path} has no figures of containers` }
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      return { path, down: error.code === 'ETIMEDOUT' ? `no answer within ${withinMs / 1_000} s` : error.message }
    }
  }
}
