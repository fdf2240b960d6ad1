/** What every source of opted-in pods must do, whatever is behind it: the one in memory and a real API server. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { OptedPods } from '../../aggregator/kubernetes/gates/opted-pods.ts'
import { PodTable } from '../../aggregator/kubernetes/gates/pod-table.ts'
import { PATIENCE } from '../mesh/sockets.ts'

export interface PodsUnderTest {
  /** Not started; the next one sees the same cluster. */
  open(): OptedPods
  /** A pod of the namespace `default` that is bound to a node; with the label, and this value, only where one is given. */
  makePod(name: string, group: string | undefined): Promise<void>
  /** Makes its gate True. */
  openGate(name: string): Promise<void>
  deletePod(name: string): Promise<void>
  close(): Promise<void>
}

export function optedPodsConformance(name: string, create: () => Promise<PodsUnderTest>): void {
  describe(`${name} keeps the contract of OptedPods`, () => {
    let under: PodsUnderTest
    const started: OptedPods[] = []
    beforeAll(async () => {
      under = await create()
    })
    afterAll(async () => {
      for (const source of started) source.stop()
      await under.close()
    })
    const follow = () => {
      const source = under.open()
      started.push(source)
      const table = new PodTable()
      let news = 0
      source.start(
        (each) => {
          news++
          table.take(each)
        },
        (error) => {
          throw error
        },
      )
      return { source, names: (group: string) => table.group(group).map((pod) => pod.name), table, news: () => news }
    }
    const eventually = async (holds: () => void): Promise<void> => {
      await vi.waitFor(holds, PATIENCE)
    }

    test('tells of all that have the label and of no others, then of who comes, changes and goes', async () => {
      await under.makePod('opted-1', 'one')
      await under.makePod('stranger', undefined)
      const { names, table } = follow()
      await eventually(() => expect(names('default/one')).toEqual(['opted-1']))
      await under.makePod('opted-2', 'one')
      await under.makePod('opted-3', 'other')
      await eventually(() => expect(names('default/one').toSorted()).toEqual(['opted-1', 'opted-2']))
      await eventually(() => expect(names('default/other')).toEqual(['opted-3']))
      await under.openGate('opted-2')
      await eventually(() => {
        const pod = table.group('default/one').find((each) => each.name === 'opted-2')
        expect(pod).toMatchObject({ declaresGate: true, gate: { isOpen: true }, isGoing: false })
      })
      await under.deletePod('opted-1')
      await eventually(() => expect(names('default/one')).toEqual(['opted-2']))
    })

    test('tells nothing more when it is stopped', async () => {
      const stopped = follow()
      await eventually(() => expect(stopped.names('default/other')).toEqual(['opted-3']))
      const goesOn = follow()
      stopped.source.stop()
      const before = stopped.news()
      await under.makePod('opted-4', 'other')
      await eventually(() => expect(goesOn.names('default/other')).toContain('opted-4'))
      expect(stopped.news()).toBe(before)
    })
  })
}
