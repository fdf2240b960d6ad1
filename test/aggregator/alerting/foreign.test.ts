/** Alerts of an Alertmanager as findings, and that our own that come back are none. */
import { expect, it } from 'vitest'
import { webhookPayload } from '../../../aggregator/alerting/foreign.ts'
import { ForeignAlerts } from '../../../aggregator/alerting/foreign-desk.ts'
import { payloadOf } from '../../../aggregator/sinks/webhook.ts'
import { HOSTILE, notification, T0 } from './samples.ts'

const NODES = [
  { node: 'w1', address: '/ip4/10.0.0.1/tcp/7790' },
  { node: 'w2', address: '/ip6/fd00::2/tcp/7790' },
]
const alert = (labels: Record<string, string>, status = 'firing', annotations = {}) => {
  return {
    status,
    labels,
    annotations,
    startsAt: '2026-11-22T09:00:00Z',
    endsAt: '0001-01-01T00:00:00Z',
    fingerprint: JSON.stringify(labels).length.toString(16),
  }
}
const payload = (...alerts: readonly object[]) =>
  webhookPayload.parse({ version: '4', receiver: 'starling', status: 'firing', alerts })

function desk(facts = new Map<string, string>()) {
  return new ForeignAlerts({
    readFact: (key) => facts.get(key) ?? null,
    writeFact: (key, value) => facts.set(key, value),
  })
}
const shown = (alerts: ForeignAlerts, now = T0) => alerts.findings(new Set(['w1', 'w2']), now)

it('finds the node by its labels, and takes the rest for elsewhere', () => {
  const alerts = desk()
  const heard = alerts.hear(
    payload(
      alert({ alertname: 'node_disk-full', node: 'w1', severity: 'critical' }, 'firing', { summary: 'full' }),
      alert({ alertname: 'A', instance: '10.0.0.1:9100', severity: 'warning' }),
      alert({ alertname: 'B', instance: '[fd00::2]:9100' }),
      alert({ alertname: 'C', kubernetes_node: 'w2', severity: 'info' }),
      alert({ alertname: 'D', instance: 'elsewhere:9100' }),
      alert({ alertname: 'E' }),
    ),
    NODES,
    T0,
  )
  expect(heard).toEqual({ taken: 4, resolved: 0, own: 0, elsewhere: 2 })
  expect(shown(alerts).map(({ node, reason, status }) => `${node} ${reason} ${status}`)).toEqual([
    'w1 NodeDiskFull error',
    'w1 A warn',
    'w2 B alarm',
    'w2 C info',
  ])
  expect(shown(alerts)[0]).toMatchObject({ detector: 'alertmanager', summary: 'Alertmanager: full' })
})

it('is over when it is resolved, or not said again, also after a restart', () => {
  const facts = new Map<string, string>()
  const alerts = desk(facts)
  const [one, two] = [
    { alertname: 'A', node: 'w1' },
    { alertname: 'Bb', node: 'w2' },
  ]
  alerts.hear(payload(alert(one), alert(two)), NODES, T0)
  alerts.hear(payload(alert(one)), NODES, T0 + 3_600_000)
  expect(shown(desk(facts), T0 + 5 * 3_600_000).map(({ reason }) => reason)).toEqual(['A'])
  expect(desk(facts).hear(payload(alert(one, 'resolved')), NODES, T0)).toMatchObject({ resolved: 1 })
  expect(shown(desk(facts)).map(({ reason }) => reason)).toEqual(['Bb'])
})

it('drops our own that come back', () => {
  const ours = payloadOf('starling', notification({}, { node: 'w1' }))
  expect(desk().hear(webhookPayload.parse(ours), NODES, T0)).toMatchObject({ taken: 0, own: 2 })
})

it('takes in what is hostile as one harmless line, and refuses what is no payload', () => {
  const alerts = desk()
  alerts.hear(
    payload(alert({ alertname: HOSTILE, node: 'w1', severity: HOSTILE }, 'firing', { summary: HOSTILE })),
    NODES,
    T0,
  )
  const [finding] = shown(alerts)
  expect(finding?.reason).toMatch(/^[A-Z][A-Za-z0-9]{0,62}$/)
  expect(finding?.summary).not.toMatch(/[\p{Cc}\u202e\ud800]/u)
  for (const body of [{}, { version: '3', alerts: [] }, { version: '4', alerts: [{ status: 'x' }] }, [], null]) {
    expect(webhookPayload.safeParse(body).success).toBe(false)
  }
})
