/** Where in what a node says something stands. Clocks of two machines say nothing about order; this does. */
import type { SignedStatement } from '../../mesh/core/model.ts'

export interface Position {
  readonly serial: number
  readonly boot: number
  readonly seq: number
}

export function positionOf({ statement: { serial, boot, seq } }: SignedStatement): Position {
  return { serial, boot, seq }
}

/** Whether a node said `a` after it said `b`. */
export function isAfter(a: Position, b: Position): boolean {
  return (a.serial - b.serial || a.boot - b.boot || a.seq - b.seq) > 0
}
