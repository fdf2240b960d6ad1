/** What detectors of "how full is it" have in common: two ratios in the options, and the reasons that a share has reached. */
import { z } from 'zod'

/** Above nothing, and at most all of it. */
export const ratio = z.number().gt(0).lte(1)

export interface Ratios {
  readonly warnRatio: number
  readonly alarmRatio: number
}

/** For `.refine` of options that hold `Ratios`. */
export const inOrder = ({ warnRatio, alarmRatio }: Ratios) => warnRatio < alarmRatio
export const IN_ORDER = 'warnRatio must be below alarmRatio'

/** The milder reason too where the severer one is reached, since each has a sustain of its own (Reason.supersedes). */
export function reached<R extends string>(share: number, { warnRatio, alarmRatio }: Ratios, warn: R, alarm: R): R[] {
  if (share >= alarmRatio) return [warn, alarm]
  return share >= warnRatio ? [warn] : []
}

/** Rounded down, so that 100 % is said only of what is really full. */
export const percent = (share: number) => `${Math.floor(share * 100)} %`
