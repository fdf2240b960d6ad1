/** What a simulated world is made of: nodes in zones and pools, the rules in force, and how often something happens. */
import type { Selector } from '../../common/selector.ts'
import type { Mode } from '../../remediators/contract.ts'
import { type GuardSettings, readGuards } from '../../remediators/guards/settings.ts'
import type { Policy } from '../../remediators/policy/model.ts'
import type { Dice } from './dice.ts'
import { AILMENTS, type Ailment } from './fixes.ts'

export interface Place {
  readonly node: string
  readonly zone: string
  readonly roles: readonly string[]
  readonly pool?: string
}

export interface Fleet {
  readonly places: readonly Place[]
  readonly guards: GuardSettings
  readonly aggregators: number
}

/** Small ones more often: there a budget is one node, and every mistake shows. */
const SIZES = [1, 2, 3, 3, 4, 5, 5, 8, 10, 12, 20, 40, 100, 200]
/** More than this many nodes have five members of etcd. */
const FIVE_FROM = 12

export function makeFleet(dice: Dice, size = dice.pick(SIZES) ?? 3): Fleet {
  const zones = ['a', 'b', 'c'].slice(0, dice.whole(1, 3))
  const pools = ['general', 'large', undefined].slice(0, dice.whole(1, 3))
  const planes = Math.min(size, size >= FIVE_FROM && dice.chance(0.5) ? 5 : 3)
  const places = Array.from({ length: size }, (_, index): Place => {
    const isPlane = index < planes
    const pool = isPlane ? 'plane' : dice.pick(pools)
    return {
      node: `node-${index}`,
      zone: zones[index % zones.length] ?? 'a',
      roles: isPlane ? ['control-plane', 'etcd'] : ['worker'],
      ...(pool === undefined ? {} : { pool }),
    }
  })
  // One failure stops a pool for a day, which would keep most worlds idle: half of them take more.
  const isLenient = dice.chance(0.5)
  const guards = readGuards(
    isLenient ? { stopOnFailure: { nodes: 20, for: '1h' }, coolDown: '1m', attempts: 50, sameFault: { nodes: 8 } } : {},
  )
  return { places, guards, aggregators: dice.whole(1, 3) }
}

const MODES: readonly Mode[] = ['auto', 'auto', 'auto', 'approve', 'approve', 'suggest', 'observe']

/** `version` goes into the names, so that a policy's name says which windows it has. */
export function makePolicies(dice: Dice, version: number): readonly Policy[] {
  return AILMENTS.filter(({ mended }) => mended.length > 0).map((ailment) => makePolicy(dice, ailment, version))
}

function makePolicy(dice: Dice, { reason, mended }: Ailment, version: number): Policy {
  const selector: Policy['selector'] = dice.chance(0.9) ? { all: true } : ({ pools: ['general'] } satisfies Selector)
  const from = dice.whole(0, mended.length - 1)
  const cron = `${dice.whole(0, 59)} */${dice.whole(2, 8)} * * *`
  return {
    name: `${reason.toLowerCase()}-${version}`,
    selector,
    match: [{ reason }],
    mode: dice.pick(MODES) ?? 'auto',
    ladder: mended.slice(from).map((remediator) => ({ remediator, attempts: dice.whole(1, 3) })),
    windows: dice.chance(0.3) ? [{ cron, duration: `${dice.whole(10, 90)}m`, timeZone: 'UTC' }] : [],
    coolDown: `${dice.whole(1, 20)}m`,
  }
}
