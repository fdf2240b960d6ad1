/** What is wrong by what nodes say of themselves and by what the mesh says of nodes and of itself. */
import type { NodeTraits } from '../../common/selector.ts'
import type { Finding, Severity } from '../../detectors/contract.ts'
import type { Alerting, BuiltIn } from '../../settings/alerting.ts'
import { verdictEventId } from '../event-model.ts'
import type { MemberState } from '../model.ts'
import { type Found, lookAtFindings, NOTHING_FOUND } from './found.ts'
import { keyOf, traitsOf } from './keys.ts'
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

/** `before`: of the last look. */
export function lookAt(
  present: Present,
  { rules, ...alerting }: Alerting,
  before = NOTHING_FOUND,
): Look & { found: Found } {
  // What a node said that left, or is no member, is over.
  const nodes = new Map(present.members.flatMap((one) => (one.state === 'left' ? [] : [[one.node, one] as const])))
  const found = lookAtFindings(present.findings, nodes, rules, before)
  const all = [...found.byNode.values()]
  const bad = [...ofMesh(present, alerting), ...ofMembers(present, alerting), ...all.flatMap((one) => one.bad)]
  return { bad, neither: new Set(all.flatMap(({ neither }) => neither)), found }
}

function ofMembers({ members }: Present, { builtIn }: Pick<Alerting, 'builtIn'>): readonly Symptom[] {
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
  { builtIn }: Pick<Alerting, 'builtIn'>,
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
