/** How much memory a host has, and how much is left: /proc/meminfo, proc(5). */

export const MEMINFO = '/proc/meminfo'

export interface Meminfo {
  /** All memory but what is set aside as huge pages: those are taken, used or not, and never available. */
  readonly usableKb: number
  readonly availableKb: number
  readonly unreclaimableKb: number
  /** 0 where there is no swap. */
  readonly swapKb: number
  readonly swapFreeKb: number
}

/** Throws an Error when it does not say what is there and what is left. */
export function parseMeminfo(text: string): Meminfo {
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d{1,15}) kB$`, 'm').exec(text)?.[1] ?? Number.NaN)
  const usableKb = field('MemTotal') - (field('Hugetlb') || 0)
  const availableKb = field('MemAvailable')
  if (!(usableKb > 0 && availableKb >= 0 && availableKb <= usableKb)) {
    throw new Error(`${MEMINFO} does not say how much memory there is and how much is available`)
  }
  return {
    usableKb,
    availableKb,
    unreclaimableKb: field('SUnreclaim') || 0,
    swapKb: field('SwapTotal') || 0,
    swapFreeKb: field('SwapFree') || 0,
  }
}
