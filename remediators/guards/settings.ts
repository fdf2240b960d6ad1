/**
 * The `guards` part of the settings: how many nodes may be disturbed at once, and when nothing is to be mended. The hard
 * guards, as those of the control plane, have no settings.
 */
import { z } from 'zod'
import { durationMs, isDuration } from '../../common/duration.ts'

const NEVER = '`mode: observe` or a pause keeps everything from being done'

const percent = z.int().min(1, `must be at least 1: ${NEVER}`).max(100)
const nodes = z.int().min(1, `must be at least 1: ${NEVER}`).max(10_000)
const share = z.strictObject({ percent: percent.exactOptional(), nodes: nodes.exactOptional() })

const between = (least: string, most: string) =>
  z
    .string()
    .refine(isDuration, 'must be a duration, as in 10m')
    .refine((text) => !isDuration(text) || isWithin(durationMs(text), least, most), `must be ${least} to ${most}`)

const isWithin = (ms: number, least: string, most: string) => ms >= durationMs(least) && ms <= durationMs(most)

/** Names and values of labels, and the prefix of a name, as Kubernetes takes them: another selector would fail each time. */
const LABEL = '[A-Za-z0-9](?:[\\w.-]{0,61}[A-Za-z0-9])?'
const KEY = `(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?${LABEL}`
const TERM = `(?:!${KEY}|${KEY}(?:!?=(?:${LABEL})?)?)`
/** `key`, `key=value`, `key!=value` or `!key`, joined by commas, as kubectl takes after -l. */
const LABEL_SELECTOR = new RegExp(`^${TERM}(?:,${TERM})*$`)

/** Without defaults, as the document that it is part of. */
export const guardsPart = z.strictObject({
  /** The smaller of a share and a number of nodes, but always one. Rounded down. */
  budgets: z
    .strictObject({
      cluster: share.exactOptional(),
      /** Of each zone. */
      zone: share.exactOptional(),
      /** Of each pool. A node that is in none is counted in the cluster and its zone only. */
      pool: share.exactOptional(),
      /** Of the cluster, each zone and each pool: how many may have a fix under way that stops no process. */
      reachNone: share.exactOptional(),
    })
    .exactOptional(),
  /** As many nodes, the larger of the two, that got one fault within so long of each other share a cause: nothing is mended. */
  sameFault: share.extend({ within: between('1m', '1h').exactOptional() }).exactOptional(),
  /** When more nodes than this, the larger of the two, ask for something new within a time, nothing is begun until it is quiet. */
  storm: share
    .extend({ within: between('1m', '30m').exactOptional(), quiet: between('1m', '30m').exactOptional() })
    .exactOptional(),
  /** The same remediator rests for so long on the same node; 0s for no rest. */
  coolDown: between('0s', '1d').exactOptional(),
  /** How often a fault of a node is acted on within 24 h, by all remediators together. */
  attempts: z.int().min(1, `must be at least 1: ${NEVER}`).max(100).exactOptional(),
  /** Once fixes have failed on so many nodes of a pool, the pool is left alone for so long, or until a person releases it. */
  stopOnFailure: z
    .strictObject({ nodes: nodes.exactOptional(), for: between('1m', '1d').exactOptional() })
    .exactOptional(),
  /** As --unhealthy-zone-threshold and --large-cluster-size-threshold of kube-controller-manager; 0: no cluster is small. */
  zones: z
    .strictObject({
      unhealthyPercent: percent.exactOptional(),
      smallCluster: z.int().min(0).max(10_000).exactOptional(),
    })
    .exactOptional(),
  /** Names of alerts of Alertmanager: while one of them fires nothing is begun, nor while it cannot be asked. */
  blockingAlerts: z.array(z.string().min(1).max(100)).max(100).exactOptional(),
  /** Label selectors of pods: nothing disturbs a node while such a pod runs there. */
  blockingPods: z
    .array(z.string().max(253).regex(LABEL_SELECTOR, 'must be a label selector, as in app=backup,tier!=test'))
    .max(20)
    .exactOptional(),
})

export type GuardsSettings = z.infer<typeof guardsPart>

/** Of a number of nodes so much percent, and so many. Which of the two counts is for each guard to say. */
export interface Share {
  readonly percent: number
  readonly nodes: number
}

/** The part with its defaults, as guards ask it. */
export interface GuardSettings {
  readonly budgets: { readonly cluster: Share; readonly zone: Share; readonly pool: Share; readonly reachNone: Share }
  readonly sameFault: Share & { readonly withinMs: number }
  readonly storm: Share & { readonly withinMs: number; readonly quietMs: number }
  readonly coolDownMs: number
  readonly attempts: number
  readonly stopOnFailure: { readonly nodes: number; readonly forMs: number }
  readonly zones: { readonly unhealthyPercent: number; readonly smallCluster: number }
  readonly blockingAlerts: readonly string[]
  readonly blockingPods: readonly string[]
}

export function readGuards(part: GuardsSettings = {}): GuardSettings {
  const { budgets, sameFault, storm, stopOnFailure, zones } = part
  return {
    budgets: {
      // 10 % is the budget that Karpenter gives a NodePool that names none; as for the number, a person can look at ten.
      cluster: { percent: 10, nodes: 10, ...budgets?.cluster },
      // Most clusters have three zones: all that the cluster's budget allows must not fall on one of them.
      zone: { percent: 20, nodes: 5, ...budgets?.zone },
      // Karpenter mends nothing in a NodePool once more than 20 % of it is unhealthy.
      pool: { percent: 20, nodes: 5, ...budgets?.pool },
      // What stops no process can still be wrong, as a kernel parameter: a quarter, as a Deployment replaces of its pods.
      reachNone: { percent: 25, nodes: 25, ...budgets?.reachNone },
    },
    // GKE on VMware repairs at most max(3, 10 %) of a cluster's nodes within an hour.
    sameFault: {
      percent: sameFault?.percent ?? 10,
      nodes: sameFault?.nodes ?? 3,
      withinMs: durationMs(sameFault?.within ?? '10m'),
    },
    // Twice what one fault may be, since these are all faults together.
    storm: {
      percent: storm?.percent ?? 20,
      nodes: storm?.nodes ?? 5,
      withinMs: durationMs(storm?.within ?? '10m'),
      quietMs: durationMs(storm?.quiet ?? '10m'),
    },
    // Longer than most faults must last to be reported again; NPD's own cool-down after a restart is 2 min.
    coolDownMs: durationMs(part.coolDown ?? '10m'),
    // A ladder of two rungs, twice each, and one more. AKS gives a node up after three rounds of its ladder.
    attempts: part.attempts ?? 5,
    // One node that does not heal stops its pool, as at ACK; a day, so that somebody sees it who works by day.
    stopOnFailure: { nodes: stopOnFailure?.nodes ?? 1, forMs: durationMs(stopOnFailure?.for ?? '1d') },
    // Defaults of kube-controller-manager: 0.55 and 50.
    zones: { unhealthyPercent: 55, smallCluster: 50, ...zones },
    blockingAlerts: part.blockingAlerts ?? [],
    blockingPods: part.blockingPods ?? [],
  }
}
