import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { nicCpu } from '../../detectors/nic-cpu.ts'
import { parseInterrupts, parseSoftnet } from '../../detectors/reading/interrupts.ts'
import { physicalNics } from '../../detectors/reading/nics.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const sampled = (name: string, options: unknown = {}) =>
  nicCpu.sample(fixtureHost(`nic-cpu/${name}`), nicCpu.options.parse(options), new AbortController().signal)
/** The look at a host a minute after the one `before`. */
const minuteOf = async (name: string, options: unknown = {}) =>
  nicCpu.judge(await sampled(name, options), nicCpu.options.parse(options), [await sampled('before', options)])

describe('nic-cpu', () => {
  it('says nothing of a busy card whose queues are spread', async () => {
    expect(await minuteOf('ok')).toEqual([])
  })

  it('finds interrupts of all queues on one CPU, and CPUs that do not keep up', async () => {
    expect(summaries(await minuteOf('bad'))).toEqual([
      '99 % of the interrupts of eth0 come to one of 4 CPUs, number 0, at 166667 packets a second',
      'CPUs drop 300 received packets a minute',
      'CPUs leave received packets for later 1000 times a minute',
    ])
  })

  it('says nothing of differences when there are none to be had', async () => {
    expect(nicCpu.judge(await sampled('bad'), nicCpu.options.parse({}), [])).toEqual([])
    const [bad, before] = [await sampled('bad'), await sampled('before')]
    expect(reasons(nicCpu.judge(before, nicCpu.options.parse({}), [{ ...bad, uptimeS: before.uptimeS - 60 }]))).toEqual(
      [],
    )
  })

  it.each([
    ['too few packets', { packetsPerSecondMin: 200_000 }, {}],
    ['another share', { oneCpuRatio: 1 }, {}],
    ['packets handed on to other CPUs', {}, { hasRps: true }],
    ['interrupts that are not known', {}, { interrupts: undefined }],
    ['a machine of two CPUs', {}, { interrupts: [99_999, 0] }],
    ['interrupts that have stopped, since the driver polls', {}, { interrupts: [17_400, 100, 90, 80] }],
  ])('does not judge the spread with %s', async (_name, options, changed) => {
    const parsed = nicCpu.options.parse(options)
    const bad = await sampled('bad')
    const sample = { ...bad, nics: bad.nics.map((nic) => ({ ...nic, ...changed })) }
    expect(reasons(nicCpu.judge(sample, parsed, [await sampled('before')]))).not.toContain('NicOnOneCpu')
  })

  it('uses the rates of its options', async () => {
    expect(reasons(await minuteOf('bad', { dropsPerMinute: 301, squeezedPerMinute: 1_001 }))).toEqual(['NicOnOneCpu'])
    expect(reasons(await minuteOf('ok', { squeezedPerMinute: 1 }))).toEqual(['SoftnetSqueezed'])
  })

  it('compares queues with what is wanted of them', async () => {
    const wanted = {
      eth0: {
        rps_cpus: '0000,0000000f',
        xps_cpus: '1',
        tx_queue_len: 1_000,
        flow_hash: { tcp4: 'nfsd', udp4: 'sdfn' },
      },
      eth1: { rps_flow_cnt: 0, xps_cpus: 'f', flow_hash: { tcp4: 'sd', udp4: 'sd' } },
    }
    const [judgement, ...rest] = await look(nicCpu, fixtureHost('nic-cpu/ok'), { wanted })
    expect(rest).toEqual([])
    expect(judgement?.evidence.map(({ name, value, limit }) => `${name} ${value} ${limit}`)).toEqual([
      'rx-0/rps_cpus 0 f',
      'rx-1/rps_cpus 0 f',
      'rx-2/rps_cpus 0 f',
      'rx-3/rps_cpus 0 f',
      'tx-1/xps_cpus 2 1',
      'tx-2/xps_cpus 4 1',
      'tx-3/xps_cpus 8 1',
      'flow_hash udp4 ds dfns',
    ])
    expect(judgement?.summary).toMatch(/^eth0 differs in 8 settings: rx-0\/rps_cpus is 0, not f;/)
  })

  it('looks at cards, and at what it is told to', async () => {
    expect(await physicalNics(fixtureHost('nic-cpu/ok'))).toEqual(['eth0', 'eth1'])
    const names = async (options: unknown) => (await sampled('ok', options)).nics.map(({ name }) => name)
    expect(await names({})).toEqual(['eth0', 'eth1'])
    expect(await names({ interfaces: ['eth1', 'eth9'] })).toEqual(['eth1'])
  })

  it('knows the interrupts of a card by their numbers, and those of virtio by their name', async () => {
    const { nics } = await sampled('before')
    expect(nics.map(({ interrupts }) => interrupts)).toEqual([
      [17_300, 100, 90, 80],
      [10, 0, 0, 0],
    ])
  })

  it('takes what an interface with one queue does not have for not there', async () => {
    const ok = fixtureHost('nic-cpu/ok')
    const error = new Error('xps_cpus cannot be read: ENOENT', { cause: { code: 'ENOENT' } })
    const host: Host = {
      ...ok,
      readText: (path) => (path.includes('xps_cpus') ? Promise.reject(error) : ok.readText(path)),
    }
    expect(await look(nicCpu, host, { wanted: { eth0: { xps_cpus: 'ff' } } })).toEqual([])
  })

  it('does not know what it cannot read', async () => {
    await expect(look(nicCpu, fixtureHost('nic-cpu/unreadable'))).rejects.toThrow('softnet_stat is not of its form')
    const ok = fixtureHost('nic-cpu/ok')
    const closed = { ...ok, readText: () => Promise.reject(new Error('EACCES')) }
    await expect(look(nicCpu, closed)).rejects.toThrow('EACCES')
    const odd: Host = { ...ok, readText: async (path) => (path === '/proc/interrupts' ? 'rubbish' : ok.readText(path)) }
    await expect(look(nicCpu, odd)).rejects.toThrow('no header of CPUs')
    await expect(look(nicCpu, fixtureHost('nic-cpu/not-applicable'))).rejects.toThrow(NotApplicable)
  })

  it('refuses names that would lead elsewhere, and values that are none', () => {
    for (const wrong of [
      { interfaces: ['../lo'] },
      { wanted: { '..': {} } },
      { wanted: { eth0: { rps_cpus: 'all' } } },
      { wanted: { eth0: { flow_hash: { tcp4: 'x' } } } },
      { wanted: { eth0: { mtu: 9000 } } },
      { oneCpuRatio: 0.5 },
    ]) {
      expect(nicCpu.options.safeParse(wrong).success).toBe(false)
    }
  })
})

describe('tables of interrupts', () => {
  it('passes over lines of another form', () => {
    const lines = parseInterrupts('  CPU0 CPU2\n 1: 5 6 IO-APIC eth0-rx-0\nERR: 0\nrubbish\n 2: 1 x y')
    expect(lines).toEqual([{ irq: '1', counts: [5, 6], about: 'IO-APIC eth0-rx-0' }])
  })

  it('reads the lines of softnet_stat, old ones with fewer columns too', () => {
    expect(parseSoftnet('0000000a 00000001 00000010\n0000000b 00000000 000000ff 00000000\n')).toEqual([
      { dropped: 1, squeezed: 16 },
      { dropped: 0, squeezed: 255 },
    ])
    expect(() => parseSoftnet('')).toThrow('not of its form')
  })
})
