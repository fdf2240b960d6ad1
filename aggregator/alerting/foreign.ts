/** Alerts of an Alertmanager as findings of our nodes: shown and told of with the others, and nothing is mended for them. */
import { z } from 'zod'
import type { Finding, Severity } from '../../detectors/contract.ts'
import { OWN_LABEL } from '../sinks/labels.ts'
import { harmless } from './texts.ts'

const ALERTS_MAX = 1_000
const LABELS_MAX = 64
/** Alertmanager says each alert again after 4 hours (its `repeat_interval`); one that it does not is over. */
export const EXPIRES_MS = 5 * 3_600_000

const labels = z
  .record(z.string().max(200), z.string().max(4_096))
  .refine((given) => Object.keys(given).length <= LABELS_MAX, `at most ${LABELS_MAX}`)

/** Version 4 of the payload of its webhooks, as far as it is read. */
export const webhookPayload = z.object({
  version: z.literal('4'),
  receiver: z.string().max(200).default(''),
  alerts: z
    .array(
      z.object({
        status: z.enum(['firing', 'resolved']),
        labels,
        annotations: labels.default({}),
        startsAt: z.iso.datetime({ offset: true }),
        fingerprint: z.string().max(64).default(''),
      }),
    )
    .max(ALERTS_MAX),
})
export type WebhookPayload = z.infer<typeof webhookPayload>

export const FOREIGN_DETECTOR = 'alertmanager'

export interface KnownNode {
  readonly node: string
  /** As `/ip4/10.0.0.1/tcp/7790`. */
  readonly address: string
}

export interface Read {
  readonly firing: readonly Finding[]
  /** Ids. */
  readonly resolved: readonly string[]
  /** Our own, that came back. */
  readonly own: number
  /** Of no node of this mesh. */
  readonly elsewhere: number
}

/** `now`: RFC 3339. */
export function readWebhook({ alerts }: WebhookPayload, nodes: readonly KnownNode[], now: string): Read {
  const firing: Finding[] = []
  const resolved: string[] = []
  let [own, elsewhere] = [0, 0]
  const byName = new Map(
    nodes.flatMap(({ node, address }) => [[node, node] as const, [hostOf(address), node] as const]),
  )
  for (const alert of alerts) {
    if (Object.hasOwn(alert.labels, OWN_LABEL)) own++
    else {
      const node = nodeOf(alert.labels, byName)
      if (node === undefined) elsewhere++
      else if (alert.status === 'resolved') resolved.push(idOf(node, alert))
      else firing.push(findingOf(node, alert, now))
    }
  }
  return { firing, resolved, own, elsewhere }
}

type Alert = WebhookPayload['alerts'][number]

function nodeOf(given: Readonly<Record<string, string>>, byName: ReadonlyMap<string, string>): string | undefined {
  for (const label of ['node', 'kubernetes_node', 'instance']) {
    const value = Object.hasOwn(given, label) ? given[label] : undefined
    if (value === undefined) continue
    const known = byName.get(value) ?? byName.get(value.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
    if (known !== undefined) return known
  }
  return undefined
}

/** The third part: `/ip4/10.0.0.1/tcp/7790`. */
function hostOf(address: string): string {
  return address.split('/')[2] ?? ''
}

function findingOf(node: string, alert: Alert, now: string): Finding {
  const { labels: given, annotations, startsAt } = alert
  const said = annotations.summary || annotations.description || annotations.message || given.alertname || ''
  return {
    id: idOf(node, alert),
    node,
    detector: FOREIGN_DETECTOR,
    reason: reasonOf(given.alertname),
    cause: causeOf(alert),
    status: SEVERITIES[(given.severity ?? '').toLowerCase()] ?? 'alarm',
    summary: harmless(`Alertmanager: ${said}`),
    evidence: [],
    since: startsAt,
    observedAt: now,
    ttlMs: EXPIRES_MS,
  }
}

function idOf(node: string, alert: Alert): string {
  return `${node}/${FOREIGN_DETECTOR}/${reasonOf(alert.labels.alertname)}/${causeOf(alert)}`
}

/** Several alerts of one name can be of one node: they differ in their labels, of which this is the print. */
function causeOf({ fingerprint, labels: given }: Alert): string {
  return harmless(
    fingerprint ||
      Object.entries(given)
        .toSorted()
        .map((pair) => pair.join('='))
        .join(','),
  )
}

/** PascalCase as our own reasons: `node_disk-full` is `NodeDiskFull`. */
function reasonOf(name = ''): string {
  const words = name.match(/[A-Za-z0-9]+/g) ?? []
  const reason = words
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
    .slice(0, 63)
  return /^[A-Z]/.test(reason) ? reason : 'ForeignAlert'
}

/** What people write; `page` and `high` are as common as the words of Prometheus' own examples. */
const SEVERITIES: Readonly<Record<string, Severity | undefined>> = {
  critical: 'error',
  error: 'error',
  page: 'error',
  high: 'alarm',
  warning: 'warn',
  warn: 'warn',
  low: 'info',
  info: 'info',
  none: 'info',
}
