/** The same scenario, seed and faults on failure detectors that decide without a vote, to set beside what Starling does. */
import { ringOf } from '../../core/ring.ts'
import { Memberlist } from '../rivals/memberlist.ts'
import { type Opinion, Opinions } from '../rivals/opinions.ts'
import { Swim } from '../rivals/swim.ts'
import { Stage } from '../stage.ts'
import { LEADER, World } from '../world.ts'
import { UNDER_WAY_MS } from './history.ts'
import { isCase, requirementsOf } from './outcome.ts'
import type { RunOptions, RunResult } from './run.ts'
import { Staging } from './staging.ts'
import { quantile } from './statistics.ts'

export const RIVALS = ['swim', 'lifeguard'] as const
export type Rival = (typeof RIVALS)[number]

/** What can be said of all of them. Durations in ms. */
export interface ArmResult {
  readonly arm: 'starling' | Rival
  readonly due: number
  readonly found: number
  /** From the fault until the first healthy member holds the host dead; of Starling, until the verdict. */
  readonly detection: { readonly p50?: number; readonly worst?: number }
  /** Each time that a healthy member came to hold another dead that was under no fault; of Starling, false verdicts. */
  readonly falseDeaths: number
  /** How many different members that was about. */
  readonly heldDead: number
  /** In the end: members about whom those that run do not agree. Of Starling there is one record, the leader's. */
  readonly disagreement: number
  readonly messagesPerMemberSecond: number
}

/** After a fault is over the detectors have this long to take a member back before its death counts as false. */
const SETTLED_AFTER_MS = 30_000

export function armOf(result: RunResult): ArmResult {
  const { kills: due, found, detection, falseVerdicts, messagesPerMemberSecond } = result
  const { p50, worst } = detection
  return {
    arm: 'starling',
    due,
    found,
    detection: p50 === undefined || worst === undefined ? {} : { p50, worst },
    falseDeaths: falseVerdicts.length,
    heldDead: new Set(falseVerdicts).size,
    disagreement: 0,
    messagesPerMemberSecond,
  }
}

/** What only Starling can be made to do (leave, churn, lie) is left out. Throws RangeError as runScenario does. */
export function runRival(rival: Rival, { scenario, nodes, seed, minutes, onProgress }: RunOptions): ArmResult {
  const { roster } = new World({ nodes, zones: scenario.zones, seed })
  const stage = new Stage(seed)
  const { agenda } = stage
  const names = roster.members.map(({ node, zone }) => stage.add(node, zone).name)
  stage.add(LEADER, '')
  const opinions = new Opinions()
  const views = new Map(names.map((name) => [name, new Set<string>()]))
  const tell = (opinion: Opinion) => {
    opinions.hear(opinion)
    if (opinion.state === 'dead') views.get(opinion.by)?.add(opinion.subject)
    else views.get(opinion.by)?.delete(opinion.subject)
  }
  const arm = rival === 'swim' ? new Swim(stage, names, tell) : new Memberlist(stage, names, tell)
  agenda.runUntil(scenario.warmUp)
  const startedAt = agenda.now
  const packetsBefore = arm.packets
  const observersOf = (subject: string) => ringOf(roster).observersOf(subject)
  const staging = new Staging({ scenario, stage, seed, roll: roster.members, leader: LEADER, observersOf })
  const endsAt = startedAt + minutes * 60_000
  while (agenda.now < endsAt) {
    agenda.runUntil(Math.min(endsAt, agenda.now + 1_000))
    onProgress?.((agenda.now - startedAt) / (endsAt - startedAt))
  }
  const isHealthy = (node: string, at: number) =>
    !staging.episodes.some((episode) => {
      return episode.node === node && at >= episode.from && at <= episode.until + SETTLED_AFTER_MS
    })
  const everybody = new Set(names)
  const due = requirementsOf(scenario).flatMap((requirement) =>
    staging.episodes.filter((episode) => isCase(episode, requirement, endsAt)),
  )
  const took = due.flatMap(({ node, from, until }) => {
    const observers = new Set(names.filter((name) => isHealthy(name, from)))
    const { first } = opinions.detectionOf(node, from, observers)
    return first === undefined || first > until + UNDER_WAY_MS ? [] : [first - from]
  })
  const falseDeaths = opinions
    .deaths(everybody, everybody)
    .filter(({ at, by, subject }) => at >= startedAt && isHealthy(subject, at) && isHealthy(by, at))
  return {
    arm: rival,
    due: due.length,
    found: took.length,
    detection: took.length === 0 ? {} : { p50: quantile(took, 0.5), worst: Math.max(...took) },
    falseDeaths: falseDeaths.length,
    heldDead: new Set(falseDeaths.map(({ subject }) => subject)).size,
    disagreement: disagreement(names, views, stage),
    messagesPerMemberSecond: (arm.packets - packetsBefore) / nodes / (minutes * 60),
  }
}

function disagreement(names: readonly string[], views: ReadonlyMap<string, ReadonlySet<string>>, stage: Stage): number {
  const running = names.filter((name) => stage.machine(name).host === 'up')
  return names.filter((subject) => {
    const others = running.filter((name) => name !== subject)
    const holdDead = others.filter((name) => views.get(name)?.has(subject) === true).length
    return holdDead > 0 && holdDead < others.length
  }).length
}
