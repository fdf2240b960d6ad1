/** What is wrong by what nodes say of themselves and by what the mesh says of nodes and of itself. */
import { fits, type NodeTraits } from '../../common/selector.ts'
import { type Finding, SEVERITIES, type Severity } from '../../detectors/contract.ts'
import type { Alerting, AlertRule, BuiltIn, FindingMatch } from '../../settings/alerting.ts'
import { findingEventId, verdictEventId } from '../event-model.ts'
import type { MemberState } from '../model.ts'
import type { Look, Symptom, SymptomKind } from './model.ts'

/** A rule over measures that neither fires nor is well, and why. */
export interface Unjudged {
  readonly rule: string
  readonly label: string
  readonly why: string
}

/** A label that is wanted for the first time is known after a minute, and one whose watch broke in less. */
const LABEL_UNKNOWN_FOR_MS = 120_000

/** What the aggregator that leads knows at present, as far as anybody could be told of it. */
export interface Present {
  readonly mesh: {
    readonly frozen: string | null
    readonly blind: { readonly why: string; readonly subjects: readonly string[] } | null
    readonly hasQuorum: boolean
  }
  readonly members: readonly (NodeTraits & { readonly state: MemberState; readonly verdictId?: string })[]
  readonly findings: readonly Finding[]
  /** Why what is put on record stands on one disk only; null while it is copied. */
  readonly singleCopy: string | null
  /** Sinks that could not be reached, and why. */
  readonly undelivered: ReadonlyMap<string, string>
  readonly unjudged: readonly Unjudged[]
}

export const BUILT_IN_RULE = 'built-in'

/** States of a member that are told of under their own names. */
const DOWN = ['NodeDown', 'HostHung', 'Isolated', 'AgentDown'] as const satisfies readonly (MemberState & BuiltIn)[]
/** Silent, whatever is made of it. */
const SILENT: readonly MemberState[] = ['suspected', ...DOWN]

export function lookAt(present: Present, alerting: Alerting): Look {
  const traits = new Map(present.members.map((member) => [member.node, member]))
  const rules = alerting.rules.flatMap((rule) => (rule.over.kind === 'findings' ? [{ ...rule, over: rule.over }] : []))
  const neither = new Set<string>()
  const bad = [...ofMesh(present, alerting), ...ofMembers(present, alerting)]
  for (const finding of present.findings) {
    const at = traits.get(finding.node)
    // What a node said that left, or is no member, is over.
    if (at === undefined || at.state === 'left') continue
    if (finding.status === 'unknown') neither.add(originOf(finding))
    const grave = severityOf(finding)
    const rule = grave && rules.find(({ over }) => isOf(over, finding, grave, at))
    if (grave && rule) bad.push(ofFinding(finding, grave, rule, at))
  }
  return { bad, neither }
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

/** Undefined for what is no fault. */
function severityOf({ status }: Finding): Severity | undefined {
  return SEVERITIES.find((severity) => severity === status)
}

/** A finding is the same object from one look to the next, until it is said again: so is its symptom. */
const made = new WeakMap<Finding, Symptom>()

function ofFinding(finding: Finding, severity: Severity, rule: Omit<AlertRule, 'over'>, at: NodeTraits): Symptom {
  const known = made.get(finding)
  if (known !== undefined && isUnder(known, rule) && isAt(known, at)) return known
  const symptom = symptomOf(finding, severity, rule, at)
  made.set(finding, symptom)
  return symptom
}

function isUnder(symptom: Symptom, { name, forMs, clearAfterMs }: Omit<AlertRule, 'over'>): boolean {
  return symptom.rule === name && symptom.forMs === forMs && symptom.clearAfterMs === clearAfterMs
}

function isAt({ at }: Symptom, { zone, roles, pool }: NodeTraits): boolean {
  return at?.zone === zone && at.roles === roles && at.pool === pool
}

function symptomOf(
  finding: Finding,
  severity: Severity,
  { name, forMs, clearAfterMs }: Omit<AlertRule, 'over'>,
  at: NodeTraits,
): Symptom {
  const { node, detector, reason, cause, summary, id } = finding
  return {
    key: keyOf('finding', node, detector, reason, cause),
    kind: 'finding',
    rule: name,
    reason,
    severity,
    at: traitsOf(at),
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

function ofMembers({ members }: Present, { builtIn }: Alerting): readonly Symptom[] {
  return members.flatMap((member) => {
    const reason = DOWN.find((state) => state === member.state)
    const severity = reason === undefined ? null : builtIn[reason]
    if (reason === undefined || severity === null) return []
    const eventId = member.verdictId === undefined ? '' : verdictEventId(member.verdictId)
    const said = { text: reason, values: { node: member.node } }
    return [{ ...own('node', reason, severity, member.node), at: traitsOf(member), said, eventId }]
  })
}

function ofMesh(
  { mesh, members, singleCopy, undelivered, unjudged }: Present,
  { builtIn }: Alerting,
): readonly Symptom[] {
  const symptoms: Symptom[] = []
  const add = (reason: BuiltIn, values: Record<string, string | number>, more: Partial<Symptom> = {}) => {
    const severity = builtIn[reason]
    if (severity === null) return
    const kind = reason === 'Frozen' ? 'frozen' : 'mesh'
    symptoms.push({ ...own(kind, reason, severity, more.cause ?? ''), said: { text: reason, values }, ...more })
  }
  if (mesh.frozen !== null) {
    const nodes = members.filter(({ state }) => SILENT.includes(state)).map(({ node }) => node)
    add('Frozen', { why: mesh.frozen, sides: sidesOf(members) }, { nodes })
  }
  if (!mesh.hasQuorum) add('NoQuorum', {})
  if (mesh.blind !== null) add('Blind', { why: mesh.blind.why, count: mesh.blind.subjects.length })
  if (singleCopy !== null) add('SingleCopy', { why: singleCopy })
  for (const [sink, why] of undelivered) add('Undelivered', { sink, why }, { cause: sink })
  for (const { rule, label, why } of unjudged)
    add('LabelUnknown', { rule, label, why }, { cause: rule, forMs: LABEL_UNKNOWN_FOR_MS })
  return symptoms
}

/** As `a: 20 of 20 silent, b: all 18 heard`: where a mesh fell apart. */
function sidesOf(members: Present['members']): string {
  const zones = new Map<string, { silent: number; all: number }>()
  for (const { zone, state } of members) {
    if (state === 'left') continue
    const counts = zones.get(zone) ?? { silent: 0, all: 0 }
    zones.set(zone, { silent: counts.silent + (SILENT.includes(state) ? 1 : 0), all: counts.all + 1 })
  }
  return [...zones].map(([zone, { silent, all }]) => `${zone || '-'}: ${silent}/${all}`).join(', ')
}

function own(kind: SymptomKind, reason: BuiltIn, severity: Severity, cause: string): Symptom {
  const key = keyOf('built-in', reason, cause)
  const times = { forMs: 0, clearAfterMs: 0 }
  // What the mesh says of itself is always known.
  return {
    key,
    kind,
    rule: BUILT_IN_RULE,
    reason,
    severity,
    at: undefined,
    cause: kind === 'mesh' ? cause : '',
    said: '',
    origins: [],
    eventId: '',
    ...times,
  }
}

/** Of which encodeURI leaves all as it is: most names, thousands at a look. */
const PLAIN = /^[\w.:-]*$/

/** Of names that may hold anything, so that no two lists make one key. */
export function keyOf(...parts: readonly string[]): string {
  return parts
    .map((part) => (PLAIN.test(part) ? part : encodeURI(part.toWellFormed()).replaceAll('/', '%2F')))
    .join('/')
}

/** Only what selectors ask. */
export function traitsOf({ node, zone, roles, pool }: NodeTraits): NodeTraits {
  return { node, zone, roles, ...(pool === undefined ? {} : { pool }) }
}
