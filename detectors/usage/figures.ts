/** What is kept of each subject each minute, and how: two bytes a figure. */

/** In the order in which they are kept and shown. */
export const FIGURES = ['cpu', 'memory', 'read', 'written', 'received', 'sent'] as const
export type FigureName = (typeof FIGURES)[number]

/** cpu in milli-processors, memory in bytes, all others in bytes a second. What is not known is left out. */
export type Figures = Partial<Record<FigureName, number>>

/** As one is seen now. */
export interface Seen extends Figures {
  /** The most memory that a container may have, bytes; it is not kept from minute to minute. */
  limit?: number
}

export const UNIT_OF: Readonly<Record<FigureName, string>> = {
  cpu: 'm',
  memory: 'B',
  read: 'B/s',
  written: 'B/s',
  received: 'B/s',
  sent: 'B/s',
}

/** No subject of that name was seen in that minute. */
const ABSENT = 0

/**
 * Steps of equal ratio: 65,534 of them from 0 to 2^50 (1 PiB, 10^12 processors), each 0.053 % above the last, so that what is
 * read back is within 0.03 % of what was kept, or within half a step of 0.0005 near zero.
 */
const STEPS = 65_534
const LARGEST = 2 ** 50
const PER_LOG = STEPS / Math.log1p(LARGEST)

export function pack(value: number | undefined): number {
  if (value === undefined || !(value >= 0)) return ABSENT
  return 1 + Math.round(Math.log1p(Math.min(value, LARGEST)) * PER_LOG)
}

export function unpack(code: number): number | undefined {
  return code === ABSENT ? undefined : Math.expm1((code - 1) / PER_LOG)
}
