/**
 * The text format of Prometheus, as scripts write it for node-exporter's textfile collector (`*.prom`): metrics say nothing of
 * what is wrong, so rules of the manifest hold them against figures.
 */
import { type PrometheusSample, prometheusSamples } from '../../reading/prometheus.ts'
import { type PluginResult, printable } from '../result.ts'

export interface MetricRule {
  /** Name of the series: of a histogram with `_bucket`, `_sum` or `_count` at its end. */
  readonly metric: string
  /** Labels that a sample must have; those not named may have any value. */
  readonly labels: Readonly<Record<string, string>>
  /** One of the three is given: it is a fault above it, below it, or at it. */
  readonly above?: number | undefined
  readonly below?: number | undefined
  readonly equals?: number | undefined
  readonly reason: string
  /** Labels whose values tell apart several causes. */
  readonly cause: readonly string[]
  /** No such sample is fine. Otherwise it is not known, since a script that breaks leaves metrics out. */
  readonly optional: boolean
}

/** Throws an Error for a text that was written in place, not moved there, and read in the middle of it. */
export function requireEnded(text: string): void {
  if (!text.endsWith('\n')) throw new Error(text === '' ? 'it is empty' : 'its last line is cut off')
}

/** Throws an Error when the text is not of the format, and when a rule finds no figure. */
export function parseTextfile(text: string, rules: readonly MetricRule[]): readonly PluginResult[] {
  const samples = [...prometheusSamples(text, new Set(rules.map(({ metric }) => metric)))]
  return rules.flatMap((rule) => applyRule(rule, samples))
}

function applyRule(rule: MetricRule, samples: readonly PrometheusSample[]): readonly PluginResult[] {
  const own = samples.filter(({ name, labels }) => name === rule.metric && hasLabels(labels, rule.labels))
  if (own.length === 0 && !rule.optional) throw new Error(`there is no ${describe(rule.metric, rule.labels)}`)
  return own.map((sample) => {
    const series = describe(sample.name, sample.labels)
    if (Number.isNaN(sample.value)) throw new Error(`${series} is NaN`)
    const isFault = breaks(rule, sample.value)
    const limit = rule.above ?? rule.below ?? rule.equals ?? 0
    const words = rule.above !== undefined ? 'above' : rule.below !== undefined ? 'below' : 'which is'
    return {
      state: isFault ? rule.reason : 'ok',
      cause: rule.cause.map((label) => printable(sample.labels[label] ?? '')).join('/'),
      message: `${series} is ${sample.value}, ${words} ${limit}`,
      evidence: [{ name: series, value: sample.value, limit, unit: '' }],
    }
  })
}

function breaks({ above, below, equals }: MetricRule, value: number): boolean {
  return (
    (above !== undefined && value > above) ||
    (below !== undefined && value < below) ||
    (equals !== undefined && value === equals)
  )
}

function hasLabels(labels: PrometheusSample['labels'], wanted: MetricRule['labels']): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value)
}

function describe(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  return printable(pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`)
}
