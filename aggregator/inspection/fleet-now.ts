/** The fleet as an inspection from the state sees it: who is a member, of whom nothing is known, and what the others said. */
import type { InspectedNode, MatrixInput } from '../../inspection/matrix.ts'
import type { SilentWhy } from '../../inspection/model.ts'
import { type SaidBy, saidByFindings, saidByRows } from '../../inspection/said.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { settingsFor } from '../../settings/overrides.ts'
import type { MemberState, MemberView, Snapshot } from '../model.ts'
import type { FreshAnswer } from './fresh-rows.ts'

/** `suspected` is no verdict: what such a node said counts until it expires. */
const SILENT_WHY: Readonly<Record<MemberState, SilentWhy | undefined>> = {
  alive: undefined,
  suspected: undefined,
  NodeDown: 'NodeDown',
  HostHung: 'NodeDown',
  Isolated: 'unreachable',
  AgentDown: 'AgentDown',
  left: 'left',
  unseen: 'unreachable',
}

type Counted = Pick<MatrixInput, 'nodes' | 'silent' | 'said'>

/** What nodes had said by now. What expired is unknown in the snapshot already. */
export function countedFromState({ members, findings }: Pick<Snapshot, 'members' | 'findings'>): Counted {
  return { nodes: members, silent: silentOf(members), said: saidByFindings(findings) }
}

/** What they answered just now; whoever did not is silent, and the state says why where it knows. */
export function countedFresh(members: readonly MemberView[], { rows, missing }: FreshAnswer): Counted {
  const said: ReadonlyMap<string, SaidBy> = saidByRows(rows)
  const known = silentOf(members)
  const told = new Map(missing.map(({ node, why }) => [node, why]))
  const silent = new Map<string, SilentWhy>()
  for (const { node } of members) {
    if (!said.has(node)) silent.set(node, known.get(node) ?? told.get(node) ?? 'no-answer')
  }
  return { nodes: members, silent, said }
}

function silentOf(members: readonly MemberView[]): ReadonlyMap<string, SilentWhy> {
  return new Map(
    members.flatMap(({ node, state }) => {
      const why = SILENT_WHY[state]
      return why === undefined ? [] : [[node, why] as const]
    }),
  )
}

/** Whether settings tell a node not to look at something. Nodes of the same traits are told the same. */
export function offBySettings(
  document: SettingsDocument,
  members: readonly MemberView[],
): (node: InspectedNode, detector: string) => boolean {
  const byTraits = new Map<string, ReadonlySet<string>>()
  const byNode = new Map<string, ReadonlySet<string>>()
  const namesNodes = document.overrides?.some(({ selector }) => selector.nodes !== undefined) ?? false
  for (const member of members) {
    const { node, zone, roles, pool } = member
    const traits = JSON.stringify([zone, roles, pool, namesNodes ? node : ''])
    const off = byTraits.get(traits) ?? namesOff(document, member)
    byTraits.set(traits, off)
    byNode.set(node, off)
  }
  return ({ node }, detector) => byNode.get(node)?.has(detector) ?? false
}

function namesOff(document: SettingsDocument, member: MemberView): ReadonlySet<string> {
  const { detectors } = settingsFor(document, member)
  return new Set(Object.keys(detectors).filter((name) => detectors[name]?.enabled === false))
}
