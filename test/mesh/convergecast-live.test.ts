/** An inspection over real sockets: nodes that answer, one whose agent hangs, one that is gone, one that lies. */
import { beforeAll, expect, test } from 'vitest'
import { MeshFreshRows } from '../../aggregator/inspection/fresh.ts'
import type { FreshProgress } from '../../aggregator/inspection/fresh-rows.ts'
import type { MemberState } from '../../aggregator/model.ts'
import { silentLog } from '../../common/log.ts'
import { decodeRowQuery, encodeRow } from '../../inspection/row-codec.ts'
import { answerConvergecasts } from '../../mesh/libp2p/convergecast.ts'
import { encodeHop } from '../../mesh/wire/convergecast.ts'
import { foundOnLoopback, type LiveNode, live } from './live-mesh.ts'
import type { RealMesh } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'

const AT = '2026-03-01T08:00:00.000Z'
const names = Array.from({ length: 6 }, (_, index) => nodeName(index))
const [ONE = '', TWO = '', HANGS = '', FAILS = '', TALKS = '', GONE = ''] = names

let mesh: RealMesh
let leader: LiveNode
let states: ReadonlyMap<string, MemberState>
let fresh: MeshFreshRows
const asked: (readonly string[] | undefined)[] = []

beforeAll(async () => {
  mesh = await foundOnLoopback(names.length, 170)
  const running = await Promise.all([
    live(mesh, LEADER),
    ...[ONE, TWO, HANGS, FAILS, TALKS].map((name) => live(mesh, name)),
  ])
  const [first, ...nodes] = running
  leader = first as LiveNode
  for (const [index, { node, questions }] of nodes.entries()) {
    const name = names[index] ?? ''
    const row = async (parameters: Uint8Array) => {
      asked.push(decodeRowQuery(parameters).detectors)
      if (name === HANGS) return await new Promise<Uint8Array>(() => {})
      if (name === FAILS) throw new Error('no')
      if (name === TALKS) return new Uint8Array(4_000)
      return encodeRow({ at: AT, fine: ['load'], findings: [], measures: { cpu: 1 }, older: {} })
    }
    answerConvergecasts({ node: name, questions, mesh: () => node, rows: { inspection: row }, onFailed: () => {} })
  }
  states = new Map()
  fresh = new MeshFreshRows({ node: LEADER, states: () => states, withinMs: 3_000, log: silentLog })
  await expect(fresh.rows({ nodes: names })).rejects.toThrow('the mesh is starting')
  fresh.start(leader.node)
  await leader.hears(ONE)
})

test('rows come of all that answer, and of the others why there is none', async () => {
  const progress: FreshProgress[] = []
  const answer = await fresh.rows({ nodes: names, detectors: ['load'], onProgress: (one) => progress.push(one) })
  const row = { at: AT, fine: ['load'], findings: [], measures: { cpu: 1 }, older: {} }
  expect(answer.rows.toSorted((a, b) => a.node.localeCompare(b.node))).toEqual([
    { node: ONE, ...row },
    { node: TWO, ...row },
  ])
  expect(answer.missing).toEqual([
    { node: HANGS, why: 'no-answer' },
    { node: FAILS, why: 'no-answer' },
    { node: TALKS, why: 'no-answer' },
    { node: GONE, why: 'unreachable' },
  ])
  // Each made one row, though it was asked in both trees and by name.
  expect(asked).toEqual(Array.from({ length: 5 }, () => ['load']))
  expect(progress[0]).toEqual({ of: 6, answered: 0 })
  expect(progress.at(-1)).toEqual({ of: 6, answered: 2 })
})

test('whoever is known to be down is not asked', async () => {
  states = new Map([
    [ONE, 'AgentDown'],
    [HANGS, 'HostHung'],
    [FAILS, 'NodeDown'],
    [TALKS, 'left'],
    [GONE, 'NodeDown'],
  ])
  const { rows, missing } = await fresh.rows({ nodes: names })
  expect(rows.map(({ node }) => node)).toEqual([TWO])
  expect(missing.map(({ why }) => why)).toEqual(['AgentDown', 'NodeDown', 'NodeDown', 'left', 'NodeDown'])
})

test('a member that is no aggregator gets no answer, whatever it signs', async () => {
  const member = mesh.keyringOf(ONE)
  const query = {
    asker: ONE,
    nonce: '0'.repeat(32),
    topic: 'inspection',
    parameters: new Uint8Array(),
    withinMs: 1_000,
  }
  const hop = { query: { query, signature: member.sign('query', query) }, leftMs: 1_000, names: [] }
  await expect(leader.node.ask(TWO, 'converge', encodeHop(hop), 5_000)).rejects.toThrow('no aggregator asked this')
  await expect(leader.node.ask(TWO, 'converge', new Uint8Array([1]), 5_000)).rejects.toThrow('refused')
})
