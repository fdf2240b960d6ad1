/**
 * One cause, one incident: a node that is down swallows what is wrong with it, a zone that is lost its nodes, a frozen mesh
 * whoever is silent; a reason on many nodes is one incident with the nodes as children.
 */
import type { NodeTraits } from '../../common/selector.ts'
import { SEVERITIES, type Severity } from '../../detectors/contract.ts'
import type { Cause, Symptom } from './model.ts'

/** One or two nodes that die at once are as likely to do so by themselves. */
const ZONE_DOWN_MIN = 3

/** `members`: all that could be down. */
export function causesOf(firing: readonly Symptom[], members: readonly NodeTraits[]): readonly Cause[] {
  const causes = new Map<string, { root: Symptom | undefined; children: Symptom[] }>()
  /** Where what is wrong with a node belongs. */
  const owners = new Map<string, string>()
  const put = (key: string, symptom: Symptom, isRoot = false) => {
    const cause = causes.get(key) ?? { root: undefined, children: [] }
    causes.set(key, cause)
    if (isRoot && cause.root === undefined) cause.root = symptom
    else cause.children.push(symptom)
  }
  const ofKind = (kind: Symptom['kind']) => firing.filter((symptom) => symptom.kind === kind)

  for (const symptom of ofKind('mesh'))
    put(`mesh/${symptom.reason}${symptom.cause && `/${symptom.cause}`}`, symptom, true)
  for (const symptom of ofKind('frozen')) {
    put('frozen', symptom, true)
    for (const node of symptom.nodes ?? []) owners.set(node, 'frozen')
  }
  const down = ofKind('node')
  const lost = lostZones(down, members)
  for (const symptom of down) {
    const { node = '', zone = '' } = symptom.at ?? {}
    const swallowed = owners.get(node)
    const key = swallowed ?? (lost.has(zone) ? `zone/${zone}` : `node/${node}`)
    put(key, symptom, swallowed === undefined && !lost.has(zone))
    owners.set(node, key)
  }
  for (const symptom of ofKind('finding'))
    put(owners.get(symptom.at?.node ?? '') ?? `finding/${symptom.reason}`, symptom)
  for (const symptom of ofKind('measure')) {
    const owner = symptom.at && owners.get(symptom.at.node)
    put(owner ?? `measure/${symptom.rule}`, symptom)
  }
  return [...causes].map(([key, { root, children }]) => causeOf(key, root, children))
}

/** Zones of several in which half of the nodes or more are down. */
function lostZones(down: readonly Symptom[], members: readonly NodeTraits[]): ReadonlySet<string> {
  const zones = countedBy(members.map(({ zone }) => zone))
  if (zones.size < 2) return new Set()
  const nodes = new Map(down.flatMap(({ at }) => (at === undefined ? [] : [[at.node, at.zone]])))
  const counts = [...countedBy([...nodes.values()])]
  return new Set(
    counts
      .filter(([zone, count]) => count >= ZONE_DOWN_MIN && count * 2 >= (zones.get(zone) ?? 0))
      .map(([zone]) => zone),
  )
}

function causeOf(key: string, root: Symptom | undefined, children: readonly Symptom[]): Cause {
  const kind = key.split('/', 1)[0] as Cause['kind']
  const all = symptomsOf({ root, children })
  const zone = kind === 'zone' ? key.slice('zone/'.length) : ''
  return {
    key,
    kind,
    reason: kind === 'zone' ? 'ZoneDown' : (all[0]?.reason ?? ''),
    node: kind === 'node' ? (root?.at?.node ?? '') : '',
    zone,
    // What a dead node said of itself does not make its death graver or less grave.
    severity: root?.severity ?? gravest(all),
    root,
    children: children.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  }
}

/** The cause itself, and what came of it. */
export function symptomsOf({ root, children }: Pick<Cause, 'root' | 'children'>): readonly Symptom[] {
  return root === undefined ? children : [root, ...children]
}

export function nodesOf(symptoms: readonly Symptom[]): readonly string[] {
  return [...new Set(symptoms.flatMap(({ at }) => (at === undefined ? [] : [at.node])))]
}

export function gravest(symptoms: readonly Symptom[]): Severity {
  return SEVERITIES.findLast((one) => symptoms.some(({ severity }) => severity === one)) ?? 'info'
}

function countedBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
