/**
 * What a scenario file holds: what it stages, as faults on groups of members, and the outcome that the protocol owes for
 * it (docs/protocol.md section 8). Durations are written `20s` and read as ms; `[1s, 4s]` is chance between the two.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../../../common/duration.ts'
import { DEFAULT_TIMING } from '../../core/timing.ts'

const duration = z
  .string()
  .refine(isDuration, 'must be a number and ms, s, m, h or d, as in 30s')
  .transform((text) => durationMs(text))

/** Lowest and highest, both included; a single value is both. */
export type Range = readonly [number, number]

const range = z
  .union([duration.transform((ms): Range => [ms, ms]), z.tuple([duration, duration])])
  .refine(([low, high]) => low <= high, 'must have the shorter duration first')

const share = z.number().gt(0).max(1)
const count = z.int().min(1)
const name = z.string().regex(/^[a-z][a-zA-Z0-9]{0,31}$/, 'must be a word of at most 32 letters and digits')

/** Some members. Of what all the given words fit, `count` or `share` are taken by chance. */
const group = z.strictObject({
  /** Names, such as `[node-3]`. */
  nodes: z.array(z.string()).min(1).optional(),
  zone: z.string().optional(),
  /** Those that observe the first member of that group. */
  observersOf: name.optional(),
  among: name.optional(),
  except: z.array(name).min(1).optional(),
  count: count.optional(),
  share: share.optional(),
  /** The aggregator is with them: it shares what is done to their network. */
  withLeader: z.boolean().default(false),
})

/** When a fault is on, in time since the warm-up is over. */
const when = {
  on: name,
  at: range.default([0, 0]),
  /** How long; until the end unless told. */
  for: range.optional(),
  /** Begins again, so long after it last began. */
  every: range.optional(),
  /** Each time on so many of the group, by chance. */
  pick: count.optional(),
  /** Each time on the next one of the group. */
  inTurn: z.boolean().default(false),
  /** Each member begins by chance within this, instead of all at once. */
  spread: duration.default(0),
}

const LIES = ['accuse', 'silent', 'attest', 'abstain', 'leave', 'equivocate', 'degrade'] as const

const fault = z.discriminatedUnion('fault', [
  /** `down`: nothing answers; `hung`: the kernel accepts and no process answers; `agentDown`: the agent is gone. */
  z.strictObject({ fault: z.literal('host'), ...when, state: z.enum(['down', 'hung', 'agentDown']) }),
  /** The machine stands still, packets are lost, and it goes on where it was, as after a live migration. */
  z.strictObject({ fault: z.literal('hostPause'), ...when }),
  /** The agent alone stands still, for `pause`, again and again after `gap`. */
  z.strictObject({ fault: z.literal('pause'), ...when, pause: range, gap: range }),
  /** Packets are lost, on the way to and from everybody or only one way. */
  z.strictObject({
    fault: z.literal('loss'),
    ...when,
    share,
    way: z.enum(['both', 'ingress', 'egress']).default('both'),
  }),
  /** No packet passes between these and `to`: everybody else unless told. `oneWay`: none from these to those. */
  z.strictObject({
    fault: z.literal('cut'),
    ...when,
    to: name.optional(),
    oneWay: z.boolean().default(false),
  }),
  /** A firewall swallows what is sent to a port on which nobody listens. */
  z.strictObject({ fault: z.literal('firewall'), ...when }),
  /** The connection table is full: open streams go on, no new connection gets in. */
  z.strictObject({ fault: z.literal('conntrackFull'), ...when }),
  /** The wall clock jumps, by chance up to so far ahead or back. */
  z.strictObject({ fault: z.literal('clock'), ...when, jump: duration }),
  /** The kubelet does not reach the API server. */
  z.strictObject({ fault: z.literal('apiLost'), ...when }),
  /** The agent says that it is about to stop, and for how long. */
  z.strictObject({ fault: z.literal('leave'), ...when, said: duration }),
  /** The autoscaler takes members of the group out of the roster, and puts as many new ones in. */
  z.strictObject({ fault: z.literal('churn'), ...when }),
  /** What they say is altered before it leaves. Without `about`: what they say about anybody. */
  z.strictObject({ fault: z.literal('lie'), ...when, lie: z.enum(LIES), about: name.optional() }),
])

const mark = z.enum(['NodeDown', 'HostHung', 'Isolated'])

/** Something that has to happen to every member of a group, each time that a fault is on it. */
const marked = z.strictObject({
  who: name,
  as: mark,
  /** From the start of the fault to the verdict: the 99th percentile of 300 and more, the median of fewer. */
  within: duration,
  /** The worst case. */
  atMost: duration,
  /** From the end of the fault to the end of the verdict. */
  recovered: duration.optional(),
  /** Those that begin at the same moment are convicted by the same roll-call. */
  oneBatch: z.boolean().default(false),
})

const outcome = z.strictObject({
  marked: z.array(marked).default([]),
  /** Nobody else is. */
  mayBeMarked: z
    .array(
      z.strictObject({
        who: name,
        as: mark,
        /** It has to be over after this long. */
        undone: duration.optional(),
        /** At most once each. */
        once: z.boolean().default(false),
      }),
    )
    .default([]),
  reported: z
    .array(
      z.strictObject({
        who: name,
        as: z.enum(['linkFault', 'agentDown', 'isolated']),
        within: duration,
        /** After each of these, not only after the first fault on the group. */
        afterEach: z.enum(['down', 'hung', 'agentDown']).optional(),
        /** Nobody else is reported for it. */
        only: z.boolean().default(false),
        /** Once for each member, and it does not end. */
        stable: z.boolean().default(false),
      }),
    )
    .default([]),
  /** Whether the brake stops all verdicts. */
  freeze: z.enum(['must', 'may', 'never']).default('may'),
  /** Kinds of notice of which there must be none. */
  without: z.array(z.enum(['candidate', 'linkFault', 'observerFault', 'agentDown', 'blind', 'left'])).default([]),
})

const timing = z
  .strictObject(Object.fromEntries(Object.keys(DEFAULT_TIMING).map((key) => [key, z.number().min(0).optional()])))
  .transform((given) => ({ ...DEFAULT_TIMING, ...given }) as typeof DEFAULT_TIMING)

export const scenarioSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be at most 40 lower-case letters, digits and dashes'),
    /** One sentence. */
    stages: z.string().min(1),
    /** The row of the ground truth that it is held against, in its words. */
    requires: z.string().min(1),
    nodes: z.int().min(2).max(20_000),
    zones: z.int().min(1).max(100).default(3),
    minutes: z.number().gt(0).max(100_000),
    warmUp: duration.default(12_000),
    /** Whether the leader can read kubelets' Leases, as in Kubernetes. */
    heartbeats: z.boolean().default(false),
    /** Durations of the protocol to change, in ms, for an experiment. */
    timing: timing.optional(),
    groups: z.record(name, group).default({}),
    faults: z.array(fault).min(1),
    /** Meanwhile hosts of members die, one at a time, and must be found. */
    kills: z
      .strictObject({
        every: duration,
        for: duration,
        within: duration,
        atMost: duration,
        /** All members unless told. */
        among: name.optional(),
      })
      .optional(),
    outcome,
  })
  .superRefine(({ groups, faults, kills, outcome: { marked: must, mayBeMarked, reported } }, context) => {
    const known = [EVERYBODY, ...Object.keys(groups)]
    const check = (path: readonly PropertyKey[], used: string | undefined, names = known) => {
      if (used === undefined || names.includes(used)) return
      context.addIssue({ code: 'custom', path: [...path], message: `there is no group "${used}": ${names.join(', ')}` })
    }
    for (const [index, key] of Object.keys(groups).entries()) {
      const { observersOf, among, except = [] } = groups[key] ?? {}
      // Groups are made in their order, so each may name only those before it.
      const before = known.slice(0, index + 1)
      check(['groups', key, 'observersOf'], observersOf, before)
      check(['groups', key, 'among'], among, before)
      for (const [at, other] of except.entries()) check(['groups', key, 'except', at], other, before)
    }
    for (const [index, given] of faults.entries()) {
      check(['faults', index, 'on'], given.on)
      if (given.fault === 'cut') check(['faults', index, 'to'], given.to)
      if (given.fault === 'lie') check(['faults', index, 'about'], given.about)
    }
    check(['kills', 'among'], kills?.among)
    const lists = { marked: must, mayBeMarked, reported }
    for (const [key, list] of Object.entries(lists)) {
      for (const [index, { who }] of list.entries()) check(['outcome', key, index, 'who'], who)
    }
  })

/** The group that is always there. */
export const EVERYBODY = 'everybody'

export type Scenario = z.output<typeof scenarioSchema>
export type Fault = Scenario['faults'][number]
export type Group = Scenario['groups'][string]
export type Outcome = Scenario['outcome']
export type Lie = (typeof LIES)[number]
