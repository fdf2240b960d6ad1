/** The code that a simulated world runs. */
import { decide } from '../../aggregator/permits/decide.ts'
import { settle } from '../../aggregator/permits/settle.ts'
import { step } from '../../remediators/engine.ts'

/** Another in its place shows what the checker finds. */
export interface Shipped {
  readonly step: typeof step
  readonly decide: typeof decide
  readonly settle: typeof settle
  readonly comparesAndSwaps: boolean
}
export const SHIPPED: Shipped = { step, decide, settle, comparesAndSwaps: true }
