import { describe, expect, test } from 'vitest'
import type { Candidate } from '../../mesh/core/candidates.ts'
import { Gathering } from '../../mesh/core/gathering.ts'
import { FIRST_LIFE } from './sample-mesh.ts'

const [FIRST, SECOND, THIRD] = ['node-1', 'node-2', 'node-3'].map(candidate) as [Candidate, Candidate, Candidate]

function candidate(subject: string): Candidate {
  return { subject, kind: 'NodeDown', incarnation: FIRST_LIFE, votes: 6 }
}

describe('a candidate', () => {
  test('does not wait where nobody else is about to be one', () => {
    const gathering = new Gathering()
    expect(gathering.gather(0, [FIRST], ['node-1'])).toEqual([FIRST])
    expect(gathering.endsAt).toBe(Number.POSITIVE_INFINITY)
  })

  test('waits for those that are about to follow, and is asked about together with them', () => {
    const gathering = new Gathering()
    const coming = ['node-1', 'node-2', 'node-3']
    expect(gathering.gather(0, [FIRST], coming)).toEqual([])
    expect(gathering.gather(30, [FIRST, SECOND], coming)).toEqual([])
    expect(gathering.gather(60, [FIRST, SECOND, THIRD], coming)).toEqual([FIRST, SECOND, THIRD])
  })

  test('waits no longer than a moment for one that never comes, each time anew', () => {
    const gathering = new Gathering()
    const coming = ['node-1', 'node-2']
    for (const start of [1_000, 5_000]) {
      expect(gathering.gather(start, [FIRST], coming)).toEqual([])
      const { endsAt } = gathering
      expect(endsAt).toBeGreaterThan(start)
      expect(gathering.gather(endsAt - 1, [FIRST], coming)).toEqual([])
      expect(gathering.gather(endsAt, [FIRST], coming)).toEqual([FIRST])
    }
  })

  test('that is withdrawn while it waits leaves nothing behind', () => {
    const gathering = new Gathering()
    expect(gathering.gather(0, [FIRST], ['node-1', 'node-2'])).toEqual([])
    expect(gathering.gather(10, [], ['node-2'])).toEqual([])
    expect(gathering.gather(5_000, [SECOND], ['node-2', 'node-3'])).toEqual([])
  })
})
