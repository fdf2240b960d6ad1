/** Every bench there is, in the order in which they are listed. */
import { agentCost } from './agent-cost.ts'
import { aggregator } from './aggregator.ts'
import type { Bench } from './bench.ts'
import { detect } from './detect.ts'
import { detectors } from './detectors.ts'
import { election } from './election.ts'
import { falseVerdicts } from './false.ts'
import { k8s } from './k8s.ts'
import { kmsgFlood } from './kmsg-flood.ts'
import { remediation } from './remediation.ts'
import { scale } from './scale.ts'
import { starve } from './starve.ts'

export const BENCHES: readonly Bench[] = [
  detect as Bench,
  starve as Bench,
  agentCost as Bench,
  detectors as Bench,
  scale as Bench,
  election as Bench,
  falseVerdicts as Bench,
  k8s as Bench,
  kmsgFlood as Bench,
  remediation as Bench,
  aggregator as Bench,
]
