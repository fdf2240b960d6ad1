/**
 * The dialect of node-problem-detector's custom plugins: exit code 0 is fine, 1 a problem, anything else unknown; what is
 * on stdout says it to a person.
 */
import { complaint, oneLine, type PluginOutput, type PluginResult, requireWhole } from '../result.ts'

export function parseNpd(output: PluginOutput): readonly PluginResult[] {
  const code = requireWhole(output)
  if (code > 1) throw new Error(complaint(output))
  const message = oneLine(output.stdout) || `exit code ${code}`
  const evidence = [{ name: 'exit code', value: code, unit: '' }]
  return [{ state: code === 0 ? 'ok' : 'problem', cause: '', message, evidence }]
}
