/** What is wrong by rules over measures. Too few figures say nothing: neither that it is wrong nor that it is well. */
import { fits, type NodeTraits } from '../../common/selector.ts'
import { MEASURES } from '../../inspection/measures.ts'
import type { Comparison, MeasureExpression } from '../../settings/alert-expression.ts'
import type { Alerting, AlertRule } from '../../settings/alerting.ts'
import { podLabelsOf } from '../measures/pod-labels.ts'
import type { MeasureAverage, MeasureSource, MissingLabel } from '../measures/source.ts'
import type { MemberState } from '../model.ts'
import { keyOf, traitsOf } from './keys.ts'
import type { Look, Symptom } from './model.ts'
import type { Unjudged } from './symptoms.ts'

/** Of the time that is averaged over, and of the hosts that a common figure is made of. */
const COVERED_SHARE_MIN = 0.5

type Member = NodeTraits & { readonly state: MemberState }
type MeasureRule = AlertRule & { readonly over: Extract<AlertRule['over'], { kind: 'measures' }> }

/** A value of what a rule judges; `member`: undefined where it is of several. */
interface Figure {
  readonly subject: string
  readonly value: number
  readonly member: Member | undefined
}

export interface LookAtMeasures extends Look {
  readonly unjudged: readonly Unjudged[]
}

export function lookAtMeasures(
  source: MeasureSource,
  members: readonly Member[],
  { rules }: Pick<Alerting, 'rules'>,
): LookAtMeasures {
  const bad: Symptom[] = []
  const neither = new Set<string>()
  const unjudged: Unjudged[] = []
  for (const rule of rules) {
    if (!isMeasureRule(rule)) continue
    const { figures, unknown, missing } = figuresOf(rule, source, members)
    if (missing !== undefined) unjudged.push({ rule: rule.name, label: missing.key, why: missing.why })
    for (const origin of unknown) neither.add(origin)
    for (const figure of figures) {
      const { comparison, limit } = rule.over.expression
      if (compare(comparison, figure.value, limit)) bad.push(symptomOf(rule, figure))
      else if (compare(comparison, figure.value, rule.over.clear)) neither.add(originOf(rule, figure.subject))
    }
  }
  return { bad, neither, unjudged }
}

function isMeasureRule(rule: AlertRule): rule is MeasureRule {
  return rule.over.kind === 'measures'
}

/** `unknown`: origins. */
interface Figures {
  readonly figures: readonly Figure[]
  readonly unknown: readonly string[]
  readonly missing?: MissingLabel
}

function figuresOf(rule: MeasureRule, source: MeasureSource, members: readonly Member[]): Figures {
  const { expression } = rule.over
  const { measure, overMs, scope, aggregate, on } = expression
  const selected = new Map(
    members.filter((one) => one.state !== 'left' && (on === undefined || fits(on, one))).map((one) => [one.node, one]),
  )
  const labels = podLabelsOf(expression.labels)
  const all = source.averages(measure, overMs, scope === 'host' ? 'host' : 'container', labels)
  const missing = source.missing(labels)
  // Of no container can be said whether it is meant.
  if (missing !== undefined) {
    const hosts = [...selected.keys()].map((node) => hostOrigin(rule, node))
    return { figures: [], unknown: [originOf(rule, ''), ...hosts], missing }
  }
  const heard = all.filter((one) => selected.has(one.subject.node))
  const ours = heard.filter((one) => hasLabels(one, expression))
  const silent = silentOf(rule, [...selected.keys()], heard)
  const isCovered = ({ coveredMs }: MeasureAverage) => coveredMs >= overMs * COVERED_SHARE_MIN
  if (aggregate === 'avg' && scope !== 'workload') {
    const unknown = ours.filter((one) => !isCovered(one)).map((one) => originOf(rule, subjectOf(one)))
    return { figures: ours.filter(isCovered).map((one) => figureOf(one, selected)), unknown: [...unknown, ...silent] }
  }
  // One figure of many: it says something when most of them do.
  const covered = ours.filter(isCovered)
  const isKnown =
    heard.length > 0 &&
    silent.length <= selected.size * (1 - COVERED_SHARE_MIN) &&
    covered.length >= ours.length * COVERED_SHARE_MIN
  if (!isKnown) return { figures: [], unknown: [originOf(rule, '')] }
  const value = togetherOf(
    expression,
    covered.map((one) => one.value),
  )
  return { figures: value === undefined ? [] : [{ subject: '', value, member: undefined }], unknown: [] }
}

/** Undefined: what is not there uses neither much nor little. That it is not is for `count` to say. */
function togetherOf({ aggregate }: MeasureExpression, values: readonly number[]): number | undefined {
  if (aggregate === 'count') return values.length
  if (values.length === 0) return undefined
  if (aggregate === 'avg' || aggregate === 'sum') return values.reduce((a, b) => a + b, 0)
  return values.reduce((a, b) => (aggregate === 'max' ? Math.max(a, b) : Math.min(a, b)))
}

function hasLabels({ subject }: MeasureAverage, { labels }: MeasureExpression): boolean {
  return Object.entries(labels).every(([key, value]) => {
    return (
      subject.container !== undefined &&
      Object.hasOwn(subject.container.labels, key) &&
      subject.container.labels[key] === value
    )
  })
}

/** Hosts that said nothing of this measure: what was wrong there may be so still. */
function silentOf(rule: MeasureRule, nodes: readonly string[], heard: readonly MeasureAverage[]): readonly string[] {
  const said = new Set(heard.map(({ subject }) => subject.node))
  return nodes.filter((node) => !said.has(node)).map((node) => hostOrigin(rule, node))
}

function figureOf(average: MeasureAverage, members: ReadonlyMap<string, Member>): Figure {
  return { subject: subjectOf(average), value: average.value, member: members.get(average.subject.node) }
}

/** `NODE`, or `NODE NAMESPACE/POD/CONTAINER`. */
function subjectOf({ subject: { node, container } }: MeasureAverage): string {
  return container === undefined ? node : `${node} ${container.namespace}/${container.pod}/${container.name}`
}

function originOf({ name }: AlertRule, subject: string): string {
  return keyOf('measure', name, subject)
}

function hostOrigin({ name }: AlertRule, node: string): string {
  return keyOf('measures-of', name, node)
}

function symptomOf(rule: MeasureRule, { subject, value, member }: Figure): Symptom {
  const { text, expression, severity } = rule.over
  const { aggregate, measure, comparison, limit } = expression
  const unit = MEASURES[measure].startsWith('%') && aggregate !== 'count' ? ' %' : ''
  const values = {
    rule: text,
    subject: subject || rule.name,
    value: `${rounded(value)}${unit}`,
    limit: `${comparison} ${limit}`,
  }
  const origins = [originOf(rule, subject), ...(member === undefined ? [] : [hostOrigin(rule, member.node)])]
  return {
    key: keyOf('measured', rule.name, subject),
    kind: 'measure',
    rule: rule.name,
    reason: rule.name,
    severity,
    at: member && traitsOf(member),
    cause: subject,
    said: { text: 'Measured', values },
    origins,
    forMs: rule.forMs,
    clearAfterMs: rule.clearAfterMs,
    eventId: '',
  }
}

function compare(comparison: Comparison, value: number, limit: number): boolean {
  if (comparison === '>') return value > limit
  if (comparison === '>=') return value >= limit
  return comparison === '<' ? value < limit : value <= limit
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
