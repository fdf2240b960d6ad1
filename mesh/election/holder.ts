/** The name under which one life of an aggregator holds the Lease: no other life has ever had it. */
import type { Incarnation } from '../core/model.ts'

export function holderName(node: string, { serial, boot }: Incarnation): string {
  return `${node}_${serial}.${boot}`
}

/** Whose life it is; undefined for a name that was not made here. */
export function nodeOfHolder(holder: string): string | undefined {
  return /^(.+)_\d+\.\d+$/.exec(holder)?.[1]
}
