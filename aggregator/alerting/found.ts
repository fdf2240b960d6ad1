/** What is wrong by what nodes say of themselves. Of a node that says the same again nothing is made anew. */
import { fits, type NodeTraits } from '../../common/selector.ts'
import { type Finding, SEVERITIES, type Severity } from '../../detectors/contract.ts'
import type { AlertRule, FindingMatch } from '../../settings/alerting.ts'
import { findingEventId } from '../event-model.ts'
import { keyOf, traitsOf } from './keys.ts'
import type { Symptom } from './model.ts'

type FindingRule = AlertRule & { readonly over: Extract<AlertRule['over'], { kind: 'findings' }> }

export interface FoundAt {
  readonly at: NodeTraits
  readonly findings: readonly Finding[]
  readonly bad: readonly Symptom[]
  /** Origins of which nothing can be said. */
  readonly neither: readonly string[]
}

export interface Found {
  readonly rules: readonly AlertRule[]
  readonly byNode: ReadonlyMap<string, FoundAt>
}

export const NOTHING_FOUND: Found = { rules: [], byNode: new Map() }

/** `nodes`: those whose findings count, by name. */
export function lookAtFindings(
  findings: readonly Finding[],
  nodes: ReadonlyMap<string, NodeTraits>,
  rules: readonly AlertRule[],
  before: Found,
): Found {
  const ours = rules.filter(isFindingRule)
  const byNode = new Map<string, FoundAt>()
  for (const [node, said] of groupedByNode(findings)) {
    const at = nodes.get(node)
    if (at === undefined) continue
    const known = before.byNode.get(node)
    const isKnown = known !== undefined && before.rules === rules && isAt(known.at, at) && isAlike(known.findings, said)
    byNode.set(node, isKnown ? known : foundAt(at, said, ours, known))
  }
  return { rules, byNode }
}

function groupedByNode(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const byNode = new Map<string, Finding[]>()
  // Mostly all of a node stand together.
  let [node, ofNode]: [string | undefined, Finding[]] = [undefined, []]
  for (const finding of findings) {
    if (finding.node !== node) {
      node = finding.node
      ofNode = byNode.get(node) ?? []
      byNode.set(node, ofNode)
    }
    ofNode.push(finding)
  }
  return byNode
}

/** A finding is the same object until it is said again. */
function isAlike(a: readonly Finding[], b: readonly Finding[]): boolean {
  return a.length === b.length && a.every((finding, index) => finding === b[index])
}

function isAt(a: NodeTraits, { zone, roles, pool }: NodeTraits): boolean {
  return a.zone === zone && a.roles === roles && a.pool === pool
}

/** `before`: what was made of this node last; what it says again in the same words stays the same. */
function foundAt(
  member: NodeTraits,
  findings: readonly Finding[],
  rules: readonly FindingRule[],
  before: FoundAt | undefined,
): FoundAt {
  const at = before !== undefined && isAt(before.at, member) ? before.at : traitsOf(member)
  const bad = findings.flatMap((finding) => {
    const severity = SEVERITIES.find((one) => one === finding.status)
    const rule = severity && rules.find(({ over }) => isOf(over, finding, severity, at))
    if (severity === undefined || rule === undefined) return []
    const symptom = symptomOf(finding, severity, rule, at)
    return [before?.bad.find((one) => isSame(one, symptom)) ?? symptom]
  })
  const neither = findings.filter(({ status }) => status === 'unknown').map(originOf)
  return { at, findings, bad, neither }
}

/** The key holds node, detector, reason and cause. */
function isSame(a: Symptom, b: Symptom): boolean {
  return (
    a.key === b.key &&
    a.rule === b.rule &&
    a.severity === b.severity &&
    a.at === b.at &&
    a.said === b.said &&
    a.forMs === b.forMs &&
    a.clearAfterMs === b.clearAfterMs &&
    a.eventId === b.eventId
  )
}

function isFindingRule(rule: AlertRule): rule is FindingRule {
  return rule.over.kind === 'findings'
}

function isOf(match: FindingMatch, { detector, reason }: Finding, severity: Severity, at: NodeTraits): boolean {
  const { detectors, reasons, severities, selector } = match
  return (
    (detectors === undefined || detectors.includes(detector)) &&
    (reasons === undefined || reasons.includes(reason)) &&
    (severities === undefined || severities.includes(severity)) &&
    (selector === undefined || fits(selector, at))
  )
}

function symptomOf(finding: Finding, severity: Severity, rule: FindingRule, at: NodeTraits): Symptom {
  const { node, detector, reason, cause, summary, id } = finding
  const { name, forMs, clearAfterMs } = rule
  return {
    key: keyOf('finding', node, detector, reason, cause),
    kind: 'finding',
    rule: name,
    reason,
    severity,
    at,
    cause,
    said: summary,
    origins: [originOf(finding)],
    forMs,
    clearAfterMs,
    eventId: findingEventId(id),
  }
}

function originOf({ node, detector }: Finding): string {
  return keyOf('detector', node, detector)
}
