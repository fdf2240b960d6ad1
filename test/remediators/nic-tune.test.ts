import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Finding, NotApplicable } from '../../detectors/contract.ts'
import { nicCpu } from '../../detectors/nic-cpu.ts'
import { nicTune } from '../../remediators/nic-tune.ts'
import { makePlan } from '../../remediators/plan.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { ON_ONE_CPU, PROGRAMS, queuesDiffer } from './cases/nic-tune.ts'
import { at, fixture } from './parts.ts'

const signal = new AbortController().signal
const ETH0 = '/sys/class/net/eth0'

let scratch: ScratchHost
beforeEach(async () => {
  scratch = await scratchHost(fixture('nic-tune'), PROGRAMS)
})
afterEach(() => scratch.remove())

const control = () => scratch.control(nicTune.touches)
const text = async (path: string) => (await readFile(join(scratch.root, path), 'utf8')).trim()

async function changesFor(finding: Finding, options: unknown = {}) {
  const parsed = nicTune.options.parse(options)
  const seen = await nicTune.inspect?.(control().host, finding, parsed, signal)
  if (seen === undefined) throw new Error('it looks at the host')
  return nicTune.plan(finding, parsed, seen)
}
const values = async (finding: Finding, options: unknown = {}) =>
  (await changesFor(finding, options))?.map(({ what, before, after }) => [what, before, after]) ?? null

describe('an interface whose packets all come to one CPU', () => {
  it('hands them on to the CPUs at its memory, in the form that the kernel writes', async () => {
    expect(await changesFor(ON_ONE_CPU)).toEqual(
      ['rx-0', 'rx-1'].map((queue) => ({
        what: `${ETH0}/queues/${queue}/rps_cpus`,
        before: '00,00000000',
        after: '00,0000000f',
        undo: `echo 00,00000000 > ${ETH0}/queues/${queue}/rps_cpus`,
      })),
    )
  })

  it('hands them on to the CPUs that are set', async () => {
    expect((await values(ON_ONE_CPU, { rpsCpus: '3,000000F0' }))?.[0]?.[2]).toBe('03,000000f0')
  })

  it('is left alone when it has a queue for each of them', async () => {
    await expect(changesFor(ON_ONE_CPU, { rpsCpus: '3' })).rejects.toThrow(NotApplicable)
    await expect(changesFor(ON_ONE_CPU, { rpsCpus: '3' })).rejects.toThrow('has 2 queues for 2 CPUs')
  })

  it('keeps the queues that hand on already', async () => {
    await writeFile(join(scratch.root, ETH0, 'queues/rx-0/rps_cpus'), '00,00000002\n')
    expect((await values(ON_ONE_CPU))?.map(([what]) => what)).toEqual([`${ETH0}/queues/rx-1/rps_cpus`])
  })

  it('cannot be handed on to CPUs that there are not', async () => {
    expect(await values(ON_ONE_CPU, { rpsCpus: 'fff,00000000' })).toBeNull()
  })
})

describe('queues that are not as wanted', () => {
  it.each([
    [['tx_queue_len', '1000', '5000'], 'tx_queue_len', '1000', '5000'],
    [['rx-0/rps_cpus', '0', 'ff'], 'queues/rx-0/rps_cpus', '00,00000000', '00,000000ff'],
    [['rx-1/rps_flow_cnt', '0', '4096'], 'queues/rx-1/rps_flow_cnt', '0', '4096'],
    [['tx-0/xps_cpus', '1', '300000000'], 'queues/tx-0/xps_cpus', '00,00000001', '03,00000000'],
  ] as const)('are set: %j', async (setting, path, before, after) => {
    expect(await values(queuesDiffer(setting))).toEqual([[`${ETH0}/${path}`, before, after]])
  })

  it('are what a card chooses a queue by, where ethtool says it', async () => {
    const finding = queuesDiffer(['flow_hash udp4', 'ds', 'dfns'])
    const changes = (await changesFor(finding)) ?? []
    expect(changes).toEqual([
      {
        what: 'rx-flow-hash udp4 of eth0',
        before: 'sd',
        after: 'sdfn',
        undo: 'ethtool -N eth0 rx-flow-hash udp4 sd',
      },
    ])
    await nicTune.apply(makePlan(nicTune, finding, changes, at(0).wall), control(), signal)
    expect(await text('run/ethtool/udp4')).toBe('sdfn')
  })

  it('say what ethtool says when the card will not', async () => {
    const finding = queuesDiffer(['flow_hash udp4', 'ds', 'dsv'])
    const plan = makePlan(nicTune, finding, (await changesFor(finding)) ?? [], at(0).wall)
    await expect(nicTune.apply(plan, control(), signal)).rejects.toThrow(
      'cannot be set: Cannot change RX network flow hashing options',
    )
  })

  it.each([
    ['rx-0/../../uevent', '0', '1'],
    ['address', '0', '1'],
    ['rx-0/rps_cpus', '0', 'ffffffffffff'],
    ['rx-0/rps_cpus', '0', '-1'],
    ['tx_queue_len', '1000', '5000; reboot'],
    ['tx_queue_len', '1000', '1000'],
    ['flow_hash udp4', 'ds', 'xyz'],
  ] as const)('are none of what can be set: %s from %s to %s', async (...setting) => {
    expect(await values(queuesDiffer(setting))).toBeNull()
  })

  it.each(['../lo', 'eth0/..', '', 'a name'])('are not of an interface called %j', async (cause) => {
    await expect(changesFor({ ...ON_ONE_CPU, cause })).rejects.toThrow('no name of an interface')
  })

  it('are planned from what the detector finds, so that it finds nothing afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 0xffff_ffff }),
        fc.integer({ min: 1, max: 9_999 }),
        async (cpus, length) => {
          const [mask, before] = [
            cpus.toString(16),
            (await text(`${ETH0}/queues/rx-0/rps_cpus`)).replace(/^[0,]+(?=.)/, ''),
          ]
          const finding = queuesDiffer(
            ['rx-0/rps_cpus', before, mask],
            ['tx_queue_len', await text(`${ETH0}/tx_queue_len`), String(length)],
          )
          const plan = makePlan(nicTune, finding, (await changesFor(finding)) ?? [], at(0).wall)
          await nicTune.apply(plan, control(), signal)
          expect((await text(`${ETH0}/queues/rx-0/rps_cpus`)).replaceAll(',', '').replace(/^0+/, '')).toBe(mask)
          expect(await text(`${ETH0}/tx_queue_len`)).toBe(String(length))
        },
      ),
      { numRuns: 25 },
    )
  })
})

it('handles reasons that nic-cpu gives', () => {
  for (const reason of nicTune.handles) expect(Object.keys(nicCpu.reasons)).toContain(reason)
})

it.each([{ rpsCpus: '' }, { rpsCpus: 'xyz' }, { rpsCpus: 'fffffffff' }, { rpsCpus: 'f,f' }])(
  'refuses the option %j',
  (options) => expect(nicTune.options.safeParse(options).success).toBe(false),
)
