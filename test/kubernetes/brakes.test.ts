/** What keeps a node from being marked: it is leaving, or too many are NotReady already. */
import { describe, expect, test } from 'vitest'
import { NotReadyClock, whyNotReady } from '../../aggregator/kubernetes/marking/brakes.ts'
import { whyLeaving } from '../../aggregator/kubernetes/marking/leaving.ts'
import { BEATEN_AT, node } from './objects.ts'

describe('what keeps from marking', () => {
  test.each([
    [{}, undefined],
    [{ unschedulable: true }, 'it is cordoned'],
    [{ deletionTimestamp: BEATEN_AT }, 'it is being deleted'],
    [{ taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] }, 'the autoscaler removes it'],
    [
      { taints: [{ key: 'node.cloudprovider.kubernetes.io/shutdown', effect: 'NoSchedule' }] },
      'its machine is shut down',
    ],
    [{ taints: [{ key: 'dedicated', effect: 'NoSchedule' }] }, undefined],
    [{ conditions: [{ type: 'Draining', status: 'True' }] }, 'its condition Draining is True'],
    [{ conditions: [{ type: 'Draining', status: 'False' }] }, undefined],
  ])('%j: leaving because %s', (words, why) => {
    expect(whyLeaving(node('a', words))).toBe(why)
  })

  /** Deaths one after the other, `gapMs` apart: how many end up marked. `zones`: of the nodes in order. */
  function markedOf(deaths: number, zones: readonly string[], gapMs: number, before: readonly number[] = []): number {
    const clock = new NotReadyClock()
    let nodes = zones.map((zone, index) => {
      const ready = before.includes(index) ? { status: 'Unknown' } : {}
      return node(`n${index}`, { ready, labels: { 'topology.kubernetes.io/zone': zone } })
    })
    clock.saw(-120_000, nodes)
    let marked = 0
    for (let at = 0; at < deaths; at++) {
      const now = at * gapMs
      clock.saw(now, nodes)
      if (whyNotReady(`n${at}`, nodes, clock, now) !== undefined) continue
      nodes = nodes.map((each, index) =>
        index === at
          ? { ...each, ...node(each.metadata.name, { ready: { status: 'False' } }), metadata: each.metadata }
          : each,
      )
      marked++
    }
    return marked
  }

  test.each([
    ['1 node', 1, ['z'], 0],
    ['2 nodes', 2, ['z', 'z'], 1],
    ['1 zone of 3', 3, ['z', 'z', 'z'], 2],
    ['3 zones of 1', 3, ['x', 'y', 'z'], 2],
    ['4 nodes', 4, ['z', 'z', 'z', 'z'], 2],
    ['5 nodes', 3, ['z', 'z', 'z', 'z', 'z'], 2],
    ['6 nodes', 3, ['x', 'x', 'y', 'y', 'z', 'z'], 2],
    ['20 nodes of 4 zones', 4, Array.from({ length: 20 }, (_, index) => `z${index % 4}`), 4],
    ['20 nodes of 4 zones', 6, Array.from({ length: 20 }, (_, index) => `z${index % 4}`), 4],
    ['20 nodes, a small zone', 4, Array.from({ length: 20 }, (_, index) => (index < 5 ? 'x' : 'y')), 2],
  ])('of %s, %i deaths within a minute', (_name, deaths, zones, marked) => {
    expect(markedOf(deaths, zones, 1_000)).toBe(marked)
  })

  test('nodes that died minutes apart, or were NotReady long before, do not count; the last Ready one is never marked', () => {
    const six = ['z', 'z', 'z', 'z', 'z', 'z']
    expect(markedOf(6, six, 70_000)).toBe(5)
    expect(markedOf(2, six, 1_000, [4, 5])).toBe(2)
  })
})
