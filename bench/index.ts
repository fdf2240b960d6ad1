/** Every bench there is, in the order in which they are listed. */
import { agentCost } from './agent-cost.ts'
import type { Bench } from './bench.ts'
import { detect } from './detect.ts'

export const BENCHES: readonly Bench[] = [detect as Bench, agentCost as Bench]
