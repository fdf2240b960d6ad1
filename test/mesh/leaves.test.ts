/** Nodes that said they would stop for a while: who is away, who is back, and whose time is over. */
import { expect, test } from 'vitest'
import { Leaves } from '../../mesh/core/leaves.ts'
import type { Incarnation } from '../../mesh/core/model.ts'
import { DrivenLeader } from './driven-leader.ts'
import { FIRST_LIFE, nodeName, sampleRoster } from './sample-mesh.ts'

const leave = { kind: 'leave', incarnation: FIRST_LIFE, reason: 'update', forMs: 60_000 } as const

function left(): Leaves {
  const leaves = new Leaves()
  expect(leaves.left(1_000, 'a', leave, FIRST_LIFE)).toEqual([{ kind: 'left', subject: 'a', why: 'update' }])
  return leaves
}

test.each<{ what: string; life: Incarnation; isBack: boolean }>([
  { what: 'the life that left', life: FIRST_LIFE, isBack: false },
  { what: 'an earlier life', life: { ...FIRST_LIFE, boot: 0 }, isBack: false },
  { what: 'a later start', life: { ...FIRST_LIFE, boot: 2 }, isBack: true },
  { what: 'a later enrolment', life: { ...FIRST_LIFE, serial: 2 }, isBack: true },
])('$what means that it is back: $isBack', ({ life, isBack }) => {
  const leaves = left()
  expect(leaves.returned('a', life)).toHaveLength(isBack ? 1 : 0)
  expect(leaves.has('a')).toBe(!isBack)
  expect(leaves.returned('a', life)).toEqual([])
})

test('a leave of an earlier life, played again, takes nobody off the live members', () => {
  const leaves = new Leaves()
  expect(leaves.left(0, 'a', leave, { ...FIRST_LIFE, boot: 2 })).toEqual([])
  expect(leaves.has('a')).toBe(false)
})

test('whose time is over is no longer on leave, back or not', () => {
  const leaves = left()
  expect(leaves.nextAt(1_000)).toBe(61_000)
  expect(leaves.expire(60_999)).toEqual([])
  expect(leaves.has('a')).toBe(true)
  expect(leaves.expire(61_000)).toMatchObject([{ kind: 'returned', subject: 'a' }])
  expect([leaves.has('a'), leaves.nextAt(61_000)]).toEqual([false, Number.POSITIVE_INFINITY])
})

test('who is on leave is no live member: a majority is counted without it', () => {
  const leader = new DrivenLeader({ roster: sampleRoster({ nodes: 20 }) })
  const [subject, gone] = [nodeName(4), nodeName(19)]
  leader.leader.left(0, gone, leave)
  leader.convict(subject, 0)
  expect(leader.certificates).toMatchObject([{ subject, live: 19 }])
})
