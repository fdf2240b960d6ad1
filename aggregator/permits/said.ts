/** The last that a node said of one of its fixes. */
import type { Remediation } from '../../remediators/contract.ts'
import type { Position } from './position.ts'

export interface Said {
  readonly remediation: Remediation
  readonly position: Position
  /** Monotonic, ms; -Infinity for what another life of this process heard. */
  readonly heardMs: number
}
