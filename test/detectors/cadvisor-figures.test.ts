/** The text that cadvisor serves is megabytes, and comes in pieces that end anywhere. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochMsOf } from '../../common/rfc3339.ts'
import { metricsReader, podUidIn } from '../../detectors/reading/cadvisor-figures.ts'

describe('figures of containers', () => {
  it('are bounded, however many there are, and counted of processors together only', () => {
    const reader = metricsReader()
    for (let index = 0; index < 5_000; index += 1) {
      reader.take(`container_cpu_usage_seconds_total{cpu="cpu00",id="/c${index}"} 99 1\n`)
      reader.take(`container_cpu_usage_seconds_total{cpu="total",id="/c${index}"} ${index} 1795305000250\n`)
    }
    const { containers, pods } = reader.end()
    expect(containers).toHaveLength(4_096)
    expect(containers[7]).toEqual({ id: '/c7', cpuSeconds: 7, atMs: 1_795_305_000_250 })
    expect(pods).toBe(0)
  })

  it('are not known where one of them is of another form, whatever the others are', () => {
    const read = (text: string) => {
      const reader = metricsReader()
      reader.take(text)
      return reader.end()
    }
    const fine = 'container_memory_usage_bytes{id="/a"} 7\n'
    expect(read(`other{\n{}\n${fine}`).containers).toEqual([{ id: '/a', memoryBytes: 7 }])
    expect(() => read(`${fine}container_memory_usage_bytes{id="/b\n`)).toThrow('line 2 is no metric')
  })

  it('survive any text', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (pieces) => {
        const reader = metricsReader()
        for (const piece of pieces) reader.take(piece)
        expect(reader.end().containers.length).toBeLessThanOrEqual(pieces.join('').length)
      }),
    ))

  it.each([
    ['/kubepods/burstable/pod3c9b2f6a-5d0e-4b7a-9f1e-0a4c6d2e8b11/abc', '3c9b2f6a5d0e4b7a9f1e0a4c6d2e8b11'],
    ['/kubepods.slice/kubepods-pod3c9b2f6a_5d0e_4b7a_9f1e_0a4c6d2e8b11.slice', '3c9b2f6a5d0e4b7a9f1e0a4c6d2e8b11'],
    ['/kubepods/pod0123456789abcdef0123456789abcdef', '0123456789abcdef0123456789abcdef'],
    ['/system.slice/podman.service', undefined],
    ['/kubepods/burstable', undefined],
  ])('of %s are of the pod %s', (group, uid) => {
    expect(podUidIn(group)).toBe(uid)
  })
})

describe('times as Kubernetes writes them', () => {
  it('are those of the calendar', () =>
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1970-01-01'), max: new Date('2199-12-31'), noInvalidDate: true }),
        (date) => {
          expect(epochMsOf(date.toISOString())).toBeCloseTo(date.getTime(), 0)
        },
      ),
    ))

  it('have a zone', () => {
    expect(epochMsOf('2026-11-22T01:30:00+01:30')).toBe(epochMsOf('2026-11-22T00:00:00Z'))
    expect(epochMsOf('2026-11-21T22:30:00-01:30')).toBe(epochMsOf('2026-11-22T00:00:00Z'))
    for (const text of ['', 'yesterday', '2026-11-22', '2026-11-22T00:00:00']) expect(epochMsOf(text)).toBeUndefined()
  })
})
