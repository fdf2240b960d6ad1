/** What this node has to say about its plugins: one that does not load must not go unnoticed. */
import type { Finding } from '../detectors/contract.ts'
import type { PluginShelf } from '../plugins/shelf.ts'

/** The name under which it is reported, beside the detectors'. */
export const PLUGINS_REPORT = 'plugins'

/** One finding for each that did not load; a single `Ok` when all did. `at`: RFC 3339. */
export function pluginFindings(
  node: string,
  { plugins, problems }: Pick<PluginShelf, 'plugins' | 'problems'>,
  at: string,
  ttlMs: number,
): readonly Finding[] {
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
  if (problems.length === 0) return [finding('Ok', '', 'ok', `${plugins.length} plugins are loaded`)]
  return problems.map(({ source, why }) =>
    finding('PluginNotLoaded', source.slice(-200), 'warn', `${source} was not loaded: ${why}`),
  )
}
