/** What a kind of things that a full disk can do without must say of itself. */
import type { Host } from '../../detectors/contract.ts'
import type { Change, Control } from '../contract.ts'

/** The filesystem that is full. */
export interface FullDisk {
  readonly mountPoint: string
  /** The number by which find(1) calls it. */
  readonly device: string
}

export interface CleanOptions {
  readonly rotatedLogDays: number
  readonly containerLogMiB: number
  readonly journalMiB: number
  readonly images: boolean
}

/** One line of a plan: what goes, which it is, and what that frees. */
export type Waste = Pick<Change, 'what' | 'before' | 'after'>

export interface Cleaner {
  /** With which `what` of each of its lines begins, and of no other's. */
  readonly verb: string
  /** What of it is on `disk`, the largest first and no more than people read. */
  find(host: Host, disk: FullDisk, options: CleanOptions, signal: AbortSignal): Promise<readonly Waste[]>
  /** Whether it is still to be done. Throws StalePlan when it is no longer what the plan says, or on another disk. */
  isPending(host: Host, disk: FullDisk, waste: Waste, signal: AbortSignal): Promise<boolean>
  free(control: Control, waste: Waste, signal: AbortSignal): Promise<void>
}
