/** Members as a roll-out is judged by. */
import { expect, it } from 'vitest'
import { Fleet } from '../../aggregator/fleet.ts'
import { nodesSeen } from '../../aggregator/nodes-seen.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Roster } from '../../mesh/core/model.ts'

const SINCE = '2026-03-14T09:26:53Z'
const AGAIN = '2026-03-14T09:27:53Z'

it.each<[string, Partial<Finding>, boolean]>([
  ['a detector that saw nothing for the first time', { reason: 'ProbeFailed', status: 'unknown' }, true],
  ['one that said so again', { reason: 'ProbeFailed', status: 'unknown', observedAt: AGAIN }, false],
  ['one that says nothing any more', { reason: 'Expired', status: 'unknown' }, false],
  ['a fault that it found', { reason: 'DiskAlmostFull', status: 'warn' }, false],
])('may pass by itself: %s', (_, parts, isOnce) => {
  const at = { since: SINCE, observedAt: SINCE, ttlMs: 60_000 }
  const words = { id: 'a/disk', node: 'a', detector: 'disk', reason: 'Ok', cause: '', summary: '', evidence: [] }
  const finding: Finding = { ...words, status: 'ok', ...at, ...parts }
  const roster = { members: [{ node: 'a' }] } as unknown as Roster
  const [seen] = nodesSeen(roster, [], { applied: new Fleet().applied, findingsOf: () => [finding] }, 0)
  expect(seen?.findings).toMatchObject([{ isOnce }])
})
