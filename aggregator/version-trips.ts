/**
 * Detectors whose newer version finds much more than the older one does, on nodes that had nothing before: it is the
 * version that is ill, more likely than the nodes. Pure.
 */
import type { Finding } from '../detectors/contract.ts'
import { isJump, type Share } from './jump.ts'

/** What a detector of a node says now, and said under the version before. */
export interface Heard {
  readonly version: string
  readonly isBad: boolean
  /** Something was wrong already when this version came, or when it was first heard. */
  readonly wasBad: boolean
}

const BAD: ReadonlySet<Finding['status']> = new Set(['warn', 'alarm', 'error', 'unknown'])

/** Undefined for a report that names no version: its agent is of before versions were told. */
export function heardNow(findings: readonly Finding[], before: Heard | undefined): Heard | undefined {
  const version = findings.find((finding) => finding.version !== undefined)?.version
  if (version === undefined) return undefined
  const isBad = findings.some(({ status }) => BAD.has(status))
  if (before === undefined) return { version, isBad, wasBad: isBad }
  return { version, isBad, wasBad: version === before.version ? before.wasBad : before.isBad }
}

/** Why this version of a detector trips; undefined while it does not. `nodes`: all that run the detector. */
export function whyTripped(version: string, nodes: readonly Heard[]): string | undefined {
  const newer = shareOf(nodes.filter((node) => node.version === version))
  const older = shareOf(nodes.filter((node) => isOlder(node.version, version)))
  if (older.of === 0 || !isJump(newer, older)) return undefined
  return `version ${version} finds something new on ${newer.count} of ${newer.of}, older ones on ${older.count} of ${older.of}`
}

/** It runs wherever the detector does, and finds no more than chance explains. */
export function isConfirmed(version: string, nodes: readonly Heard[]): boolean {
  return nodes.every((node) => node.version === version) && !isJump(shareOf(nodes), { count: 0, of: 0 })
}

function shareOf(nodes: readonly Heard[]): Share {
  return { count: nodes.filter(({ isBad, wasBad }) => isBad && !wasBad).length, of: nodes.length }
}

/** By their numbers, as 1.9 is before 1.10. */
function isOlder(a: string, b: string): boolean {
  return a.localeCompare(b, 'en', { numeric: true }) < 0
}
