/** What this node has to say about its plugins: one that does not load must not go unnoticed. */
import { counted } from '../common/counted.ts'
import type { Finding } from '../detectors/contract.ts'
import type { PluginShelf } from '../plugins/shelf.ts'

/** The name under which it is reported, beside the detectors'. */
const PLUGINS_REPORT = 'plugins'

/** One finding for each that did not load; a single `Ok` when all did. `at`: RFC 3339. */
export function pluginFindings(
  node: string,
  { plugins, problems }: Pick<PluginShelf, 'plugins' | 'problems'>,
  at: string,
  ttlMs: number,
): readonly [Finding, ...Finding[]] {
  const evidence = [{ name: 'plugins', value: plugins.length, unit: 'loaded' }]
  const finding = (reason: string, cause: string, status: Finding['status'], summary: string): Finding => ({
    id: `${node}/${PLUGINS_REPORT}/${reason}/${cause}#${at}`,
    node,
    detector: PLUGINS_REPORT,
    reason,
    cause,
    status,
    summary: summary.slice(0, 500),
    evidence,
    since: at,
    observedAt: at,
    ttlMs,
  })
  const loaded = finding('Ok', '', 'ok', `${counted(plugins.length, 'plugin is', 'plugins are')} loaded`)
  const [first = loaded, ...others] = problems.map(({ source, why }) =>
    finding('PluginNotLoaded', source.slice(-200), 'warn', `${source} was not loaded: ${why}`),
  )
  return [first, ...others]
}
