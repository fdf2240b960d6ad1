/** What must hold of an answer of the leader's, by the truth about the world. */
import type { Grant } from '../../aggregator/permits/book.ts'
import type { DecideInit } from '../../aggregator/permits/decide.ts'
import { GUARDS } from '../../remediators/guards/index.ts'
import type { GuardVerdict, PermitRequest } from '../../remediators/permits.ts'
import type { Place } from './fleet.ts'
import type { Seen } from './invariants.ts'
import { type InHand, inHands, mostOf } from './truth.ts'

const NAMES: readonly string[] = ['request', 'mode', ...GUARDS.map(({ name }) => name)]
const FAULTS: readonly string[] = ['warn', 'alarm', 'error']

/** Every guard was asked and says why, also where others had said no. */
export function checkVerdicts(
  checker: Seen,
  { node, planId }: PermitRequest,
  verdicts: readonly GuardVerdict[],
  { said }: DecideInit,
): void {
  const names = verdicts.map(({ guard }) => guard)
  const wanted = said === undefined ? ['request'] : NAMES
  const missing = wanted.filter((name) => !names.includes(name))
  if (missing.length > 0) checker.fail('recorded', node, `${planId}: nothing is on record of ${missing.join(', ')}`)
  const silent = verdicts.filter(({ why }) => why === '')
  if (silent.length > 0) checker.fail('recorded', node, `${planId}: ${silent[0]?.guard} gives no cause`)
}

export function checkGrant(checker: Seen, leader: string, grant: Grant, init: DecideInit): void {
  const { world } = checker
  const { node, planId } = grant.permit
  const { reach, reason } = grant.plan
  const fail = (invariant: Parameters<Seen['fail']>[0], what: string) => checker.fail(invariant, node, what)
  const why = init.mesh.restrained ?? init.outlook.stale
  if (why !== undefined) fail('restrained', `${leader} grants ${planId}: ${why}`)
  for (const { scope, by } of world.pausesNow()) {
    const place = world.place(node)
    const covers = scope.kind === 'all' || scope.name === (scope.kind === 'node' ? node : place?.pool)
    if (covers) fail('paused', `${planId} is granted while ${by} paused ${scope.kind}`)
  }
  const plan = init.said?.remediation.plan
  const { mode } = init.asked.request
  // A request can overtake the word that its plan falls under another policy by now.
  const fix = world.agents.get(node)?.truth.fixes.find(({ remediation }) => remediation.plan.id === planId)
  const named = [init.said?.remediation.policy, fix?.remediation.policy]
  const lets = named.map((policy) => world.policies.get(policy ?? '')?.mode)
  if (!lets.includes('auto') && (!lets.includes('approve') || mode === 'auto'))
    fail('permit', `${planId} is granted in mode ${mode}, and policy ${named.join(' or ')} is ${lets.join(' or ')}`)
  const told = init.mesh.findings.find((one) => one.node === node && one.reason === reason && one.cause === plan?.cause)
  if (told === undefined || told.held !== undefined || !FAULTS.includes(told.status))
    fail('unknown', `${planId} is granted for ${told?.held ?? told?.status ?? 'what nobody reports'}`)
  const others = inHands(world.agents.values(), checker.sent).filter(
    (hand) => hand.planId !== planId && !world.isVoid(hand.permitId),
  )
  const own = others.find((hand) => hand.node === node)
  if (own !== undefined) fail('owner', `${planId} is granted, and ${own.planId} is in hand with ${own.permitId}`)
  const taken = [...init.outlook.nodes].filter(([, { takenBy }]) => takenBy !== undefined)
  const foreign = new Map(taken.map(([name, { takenBy }]) => [name, takenBy]))
  if (reach === 'none') {
    checkQuiet(checker, node, others)
    return
  }
  if (foreign.has(node)) fail('owner', `${planId} is granted, and the node is ${foreign.get(node)}`)
  const gone = new Set([...foreign.keys(), ...init.mesh.standing.keys()])
  for (const hand of others) if (hand.reach !== 'none') gone.add(hand.node)
  gone.delete(node)
  checkBudgets(checker, node, gone)
  if (world.place(node)?.roles.includes('control-plane')) checkPlane(checker, node, reach, gone)
}

function checkQuiet(checker: Seen, node: string, others: readonly InHand[]): void {
  const quiet = new Set(others.filter(({ reach }) => reach === 'none').map((hand) => hand.node))
  const size = checker.world.fleet.places.length
  const most = mostOf(checker.world.fleet.guards.budgets.reachNone, size)
  if (quiet.size + 1 > most) checker.fail('budget', node, `${quiet.size + 1} of ${size} are changed, ${most} may be`)
}

function checkBudgets(checker: Seen, node: string, gone: ReadonlySet<string>): void {
  const { places, guards } = checker.world.fleet
  const own = checker.world.place(node)
  const groups = [
    ['the cluster', guards.budgets.cluster, places],
    ['its zone', guards.budgets.zone, places.filter(({ zone }) => zone === own?.zone)],
    ['its pool', guards.budgets.pool, own?.pool === undefined ? [] : places.filter(({ pool }) => pool === own.pool)],
  ] as const
  for (const [name, share, members] of groups) {
    if (members.length === 0) continue
    const taken = members.filter((place) => gone.has(place.node))
    const most = mostOf(share, members.length)
    if (taken.length + 1 <= most) continue
    const who = taken.map((place) => place.node).join(', ')
    checker.fail('budget', node, `of ${name} ${taken.length + 1} of ${members.length}, ${most} may be: ${who}`)
  }
}

function checkPlane(checker: Seen, node: string, reach: string, gone: ReadonlySet<string>): void {
  const has = (role: string) => (place: Place) => place.roles.includes(role)
  const { places } = checker.world.fleet
  const other = places.filter(has('control-plane')).find((place) => gone.has(place.node))
  if (other !== undefined) checker.fail('plane', node, `${other.node} of the control plane is disturbed already`)
  const members = places.filter(has('etcd'))
  if (members.length === 1 && reach === 'process') return
  const left = members.filter((place) => place.node !== node && !gone.has(place.node)).length
  if (left * 2 <= members.length)
    checker.fail('plane', node, `${left} of ${members.length} members of etcd would be left`)
}
