/** An aggregator on real sockets that leads, stands by, asks whom it would reach, and leads again. */
import { beforeAll, expect, test, vi } from 'vitest'
import { foundOnLoopback, type LiveNode, live } from './live-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'
import { PATIENCE } from './sockets.ts'

const MEMBERS = [nodeName(0), nodeName(1), nodeName(2)]

let aggregator: LiveNode
let members: readonly LiveNode[]

beforeAll(async () => {
  const mesh = await foundOnLoopback(MEMBERS.length, 190)
  ;[aggregator, ...members] = await Promise.all([live(mesh, LEADER), ...MEMBERS.map((name) => live(mesh, name))])
  await Promise.all(MEMBERS.map((name) => aggregator.hears(name)))
})

/** A roll-call or canvass of this term that more than half answered. */
const reached = (term: number) =>
  vi.waitFor(() => {
    const reach = aggregator.told.reaches.find((one) => one.term === term && one.holds && one.present > 1)
    if (reach === undefined) throw new Error(`nobody answered under term ${term}`)
  }, PATIENCE)

test('it leads from when it is told to until it is told to stand by, and is heard under each later term', async () => {
  await reached(1)
  expect(aggregator.node.leader).toBeDefined()
  aggregator.node.standBy()
  expect(aggregator.node.leader).toBeUndefined()
  aggregator.node.canvass(5)
  await reached(5)
  expect(aggregator.node.leader).toBeUndefined()
  aggregator.node.lead(6, [])
  await reached(6)
  expect(aggregator.node.leader?.hasQuorum).toBe(true)
  expect(members.map(({ commits }) => commits.length)).toEqual([0, 0, 0])
})
