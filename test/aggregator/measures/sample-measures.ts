/** What two nodes measured of late, one of them with a name that no terminal or sheet must obey. */
import { FleetMeasures } from '../../../aggregator/measures/fleet-measures.ts'
import { NO_CLUSTER, type PodLabels } from '../../../aggregator/measures/pod-labels.ts'

export const MINUTE = 60_000

export function sampleMeasures(pods: PodLabels = NO_CLUSTER): FleetMeasures {
  const source = new FleetMeasures({ now: () => 1_000_000, poolOf: () => 'web', pods })
  for (const [node, cpu] of [
    ['node-4', 20],
    ['<b>=1+1\u001b[31m', 40],
  ] as const)
    source.take(node, {
      minute: 5,
      passedMs: MINUTE,
      minutes: [{ cpu }],
      hours: [],
      containerMinute: 9,
      containers: [{ name: 'shop/db-0/db', figures: { cpu: cpu / 10 } }],
    })
  return source
}
