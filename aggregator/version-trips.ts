/**
 * Detectors whose newer version finds much more than the older one does, on nodes that had nothing before: it is the
 * version that is ill, more likely than the nodes. Pure.
 */
import type { Finding } from '../detectors/contract.ts'
import { isJump, type Share } from './jump.ts'

/**
 * What a version shows is there soon after it came: longer than most detectors wait between two looks, and than most faults
 * must last. Later it is the node's own: one that stays on an old version for good must not make news of every fault.
 */
const FRESH_MS = 1_800_000

/** What a detector of a node says now, and said under the version before. */
export interface Heard {
  readonly version: string
  /** When the version came, by the clock of its node; -Infinity where it was there when the node was first heard. */
  readonly sinceMs: number
  readonly isBad: boolean
  /** Something was wrong already when this version came, or when it was first heard. */
  readonly wasBad: boolean
  /** What is wrong came long after the version did. */
  readonly isLate: boolean
}

const BAD: ReadonlySet<Finding['status']> = new Set(['warn', 'alarm', 'error', 'unknown'])

/** Undefined for a report that names no version: its agent is of before versions were told. */
export function heardNow(findings: readonly Finding[], before: Heard | undefined): Heard | undefined {
  const versioned = findings.find((finding) => finding.version !== undefined)
  if (versioned?.version === undefined) return undefined
  const { version } = versioned
  const atMs = Date.parse(versioned.observedAt)
  const isBad = findings.some(({ status }) => BAD.has(status))
  if (before === undefined) return { version, sinceMs: Number.NEGATIVE_INFINITY, isBad, wasBad: isBad, isLate: false }
  if (version !== before.version) return { version, sinceMs: atMs, isBad, wasBad: before.isBad, isLate: false }
  const { sinceMs, wasBad } = before
  const isLate = isBad && (before.isBad ? before.isLate : atMs - sinceMs > FRESH_MS)
  return { version, sinceMs, isBad, wasBad, isLate }
}

/** Why this version of a detector trips; undefined while it does not. `nodes`: all that run the detector. */
export function whyTripped(version: string, nodes: readonly Heard[]): string | undefined {
  const newer = shareOf(nodes.filter((node) => node.version === version).map(byVersion))
  const older = shareOf(nodes.filter((node) => isOlder(node.version, version)))
  if (older.of === 0 || !isJump(newer, older)) return undefined
  return `version ${version} finds something new on ${newer.count} of ${newer.of}, older ones on ${older.count} of ${older.of}`
}

/** It runs wherever the detector does, and finds no more than chance explains. */
export function isConfirmed(version: string, nodes: readonly Heard[]): boolean {
  return nodes.every((node) => node.version === version) && !isJump(shareOf(nodes.map(byVersion)), { count: 0, of: 0 })
}

/** As if nothing were wrong that its version cannot have brought. */
function byVersion(node: Heard): Heard {
  return { ...node, isBad: node.isBad && !node.isLate }
}

function shareOf(nodes: readonly Heard[]): Share {
  return { count: nodes.filter(({ isBad, wasBad }) => isBad && !wasBad).length, of: nodes.length }
}

/** By their numbers, as 1.9 is before 1.10. */
function isOlder(a: string, b: string): boolean {
  return a.localeCompare(b, 'en', { numeric: true }) < 0
}
