/**
 * Is the work of receiving packets spread over the CPUs, and does any of them fail to keep up? A card whose queues all
 * interrupt one CPU is as slow as that CPU, however fast the card, and what runs on that CPU is starved.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector, type Host, type Judgement } from './contract.ts'
import { parseInterrupts, parseSoftnet, type Softnet } from './reading/interrupts.ts'
import { ETHTOOL, flowHashOf, interruptsOf, isNicName, NET, physicalNics, queuesOf, settingOf } from './reading/nics.ts'
import { comparable, perMinuteSince, readUptime, UPTIME } from './reading/rates.ts'

const INTERRUPTS = '/proc/interrupts'
const SOFTNET = '/proc/net/softnet_stat'
/** Bounds how long one look takes. */
const NICS_MAX = 16
const QUEUES_MAX = 256
/** With fewer there is nothing to spread to. */
const CPUS_MIN = 4
/** Rarer ones say nothing of where the packets go: under load a driver polls, and interrupts stop. */
const INTERRUPTS_PER_MINUTE_MIN = 3_000

const FLOWS = ['tcp4', 'udp4', 'tcp6', 'udp6'] as const

const count = z.int().min(0)
const mask = z.string().regex(/^[0-9a-fA-F,]+$/, 'must be hexadecimal digits, as ff or ffffffff,ffffffff')
const wantedSchema = z.strictObject({
  rps_cpus: mask.exactOptional(),
  rps_flow_cnt: count.exactOptional(),
  xps_cpus: mask.exactOptional(),
  tx_queue_len: count.exactOptional(),
  flow_hash: z
    .partialRecord(z.enum(FLOWS), z.string().regex(/^[sdfnv]+$/, 'must be letters of sdfnv, see ethtool(8)'))
    .exactOptional(),
})
type Wanted = z.infer<typeof wantedSchema>

interface Setting {
  /** `rx-0/rps_cpus`. */
  readonly name: string
  readonly value: string
  readonly wanted: string
}

interface Nic {
  readonly name: string
  readonly packets: number
  /** By CPU; undefined when none are known. */
  readonly interrupts: readonly number[] | undefined
  /** Received packets are handed on to other CPUs, so it does not matter where the interrupts come. */
  readonly hasRps: boolean
  readonly settings: readonly Setting[]
}

type Reason = 'NicOnOneCpu' | 'NicQueueDiffers' | 'SoftnetDrops' | 'SoftnetSqueezed'

export const nicCpu = defineDetector({
  name: 'nic-cpu',
  summary: 'Whether the work of receiving packets is spread over the CPUs, and whether they keep up with it.',
  every: '1m',
  timeout: '10s',
  needs: [],
  touches: {
    paths: [
      INTERRUPTS,
      SOFTNET,
      UPTIME,
      `${NET}/*/device`,
      `${NET}/*/device/msi_irqs/*`,
      `${NET}/*/statistics/rx_packets`,
      `${NET}/*/tx_queue_len`,
      `${NET}/*/queues/*/*`,
    ],
    commands: [ETHTOOL],
  },
  options: z.strictObject({
    interfaces: z
      .array(z.string().refine(isNicName, 'must be the name of an interface'))
      .max(NICS_MAX)
      .default([])
      .describe('Interfaces to look at; empty: all with a device behind them.'),
    packetsPerSecondMin: z
      .number()
      .gt(0)
      .default(50_000)
      .describe(
        'Received packets in a second from which on it matters where they are handled: 0.6 Gbit/s of full packets, a load that one CPU feels.',
      ),
    oneCpuRatio: z
      .number()
      .gt(0.5)
      .lte(1)
      .default(0.9)
      .describe('Share of the interrupts of an interface on one CPU from which it is a warning.'),
    dropsPerMinute: z
      .number()
      .gt(0)
      .default(10)
      .describe('Packets for which a CPU had no room, in a minute, from which it is an alarm.'),
    squeezedPerMinute: z
      .number()
      .gt(0)
      .default(600)
      .describe(
        'Times in a minute that CPUs had to leave packets for later, from which it is reported; now and then is usual.',
      ),
    wanted: z
      .record(z.string().refine(isNicName, 'must be the name of an interface'), wantedSchema)
      .default({})
      .describe(
        'By interface: rps_cpus, rps_flow_cnt, xps_cpus of each queue, tx_queue_len, and flow_hash by flow as {"udp4": "sdfn"}, where ethtool is installed. What an interface does not have is left out.',
      ),
  }),
  reasons: {
    NicOnOneCpu: {
      severity: 'warn',
      summary: 'One CPU handles nearly all packets of a busy interface: it is the limit of what this node can receive.',
      // irqbalance moves interrupts every 10 s; what it has not spread by then it will not.
      sustain: '5m',
      runbook: 'nic-cpu',
    },
    NicQueueDiffers: {
      severity: 'warn',
      summary: 'Queues of an interface are set up otherwise than wanted.',
      sustain: '1m',
      runbook: 'nic-cpu',
    },
    SoftnetDrops: {
      severity: 'alarm',
      summary: 'CPUs drop received packets since their queues are full: connections of this node slow down or break.',
      sustain: '1m',
      runbook: 'nic-cpu',
    },
    SoftnetSqueezed: {
      severity: 'info',
      summary: 'CPUs often have to leave received packets for later: they are close to what they can receive.',
      sustain: '5m',
      runbook: 'nic-cpu',
    },
  },

  async sample(host, { interfaces, wanted }, signal) {
    signal.throwIfAborted()
    const softnet = parseSoftnet(await host.readText(SOFTNET))
    const lines = parseInterrupts(await host.readText(INTERRUPTS))
    const named = [...new Set([...interfaces, ...Object.keys(wanted)])]
    const names = interfaces.length > 0 ? named : [...new Set([...(await physicalNics(host)), ...named])]
    const nics: Nic[] = []
    for (const name of names.slice(0, NICS_MAX)) {
      signal.throwIfAborted()
      // One that is named and not there is for the detector of links to find.
      const packets = await settingOf(host, `${NET}/${name}/statistics/rx_packets`)
      if (packets === undefined) continue
      const queues = (await queuesOf(host, name)).slice(0, QUEUES_MAX)
      nics.push({
        name,
        packets: Number(packets),
        interrupts: await interruptsOf(host, name, lines),
        hasRps: await hasRps(host, name, queues),
        settings: await settingsOf(host, name, queues, wanted[name] ?? {}, signal),
      })
    }
    return { uptimeS: await readUptime(host), softnet, nics }
  },

  judge(now, options, past) {
    return [
      ...now.nics.flatMap(({ name, settings }) => judgeSettings(name, settings)),
      ...now.nics.flatMap((nic) => judgeSpread(nic, now, past, options)),
      ...judgeSoftnet(now, past, options),
    ]
  },
})

interface Sample {
  readonly uptimeS: number
  readonly softnet: readonly Softnet[]
  readonly nics: readonly Nic[]
}

function judgeSettings(nic: string, settings: readonly Setting[]): readonly Judgement<Reason>[] {
  const differ = settings.filter(({ value, wanted }) => value !== wanted)
  if (differ.length === 0) return []
  const said = differ.slice(0, 4).map(({ name, value, wanted }) => `${name} is ${value}, not ${wanted}`)
  return [
    {
      reason: 'NicQueueDiffers',
      cause: nic,
      summary: `${nic} differs in ${counted(differ.length, 'setting')}: ${said.join('; ')}`,
      evidence: differ.map(({ name, value, wanted }) => ({ name, value, limit: wanted, unit: '' })),
    },
  ]
}

function judgeSpread(
  nic: Nic,
  now: Sample,
  past: readonly Sample[],
  options: { readonly packetsPerSecondMin: number; readonly oneCpuRatio: number },
): readonly Judgement<Reason>[] {
  const of = ({ nics }: Sample) => nics.find(({ name }) => name === nic.name)
  const packets = Math.round((perMinuteSince(now, past, (sample) => of(sample)?.packets) ?? 0) / 60)
  const before = comparable(now, past)
  const [counts, earlier] = [nic.interrupts, before === undefined ? undefined : of(before)?.interrupts]
  if (packets < options.packetsPerSecondMin || nic.hasRps || before === undefined) return []
  if (counts === undefined || counts.length < CPUS_MIN || earlier?.length !== counts.length) return []
  const grown = counts.map((value, cpu) => value - (earlier[cpu] ?? 0))
  const total = grown.reduce((sum, value) => sum + value, 0)
  const perMinute = (total * 60) / (now.uptimeS - before.uptimeS)
  if (grown.some((value) => value < 0) || perMinute < INTERRUPTS_PER_MINUTE_MIN) return []
  const most = Math.max(...grown)
  const share = most / total
  if (share < options.oneCpuRatio) return []
  const percent = Math.floor(share * 100)
  return [
    {
      reason: 'NicOnOneCpu',
      cause: nic.name,
      summary: `${percent} % of the interrupts of ${nic.name} come to one of ${counts.length} CPUs, number ${grown.indexOf(most)}, at ${packets} packets a second`,
      evidence: [
        { name: 'interrupts on one CPU', value: percent, limit: options.oneCpuRatio * 100, unit: '%' },
        { name: 'rx_packets', value: packets, limit: options.packetsPerSecondMin, unit: '/s' },
      ],
    },
  ]
}

function judgeSoftnet(
  now: Sample,
  past: readonly Sample[],
  options: { readonly dropsPerMinute: number; readonly squeezedPerMinute: number },
): readonly Judgement<Reason>[] {
  const rate = (key: keyof Softnet) =>
    perMinuteSince(now, past, ({ softnet }) => softnet.reduce((sum, cpu) => sum + cpu[key], 0)) ?? 0
  const [dropped, squeezed] = [rate('dropped'), rate('squeezed')]
  const found: Judgement<Reason>[] = []
  if (dropped >= options.dropsPerMinute) {
    const summary = `CPUs drop ${counted(dropped, 'received packet')} a minute`
    const evidence = [{ name: 'softnet dropped', value: dropped, limit: options.dropsPerMinute, unit: '/min' }]
    found.push({ reason: 'SoftnetDrops', summary, evidence })
  }
  if (squeezed >= options.squeezedPerMinute) {
    const summary = `CPUs leave received packets for later ${counted(squeezed, 'time')} a minute`
    const evidence = [{ name: 'time_squeeze', value: squeezed, limit: options.squeezedPerMinute, unit: '/min' }]
    found.push({ reason: 'SoftnetSqueezed', summary, evidence })
  }
  return found
}

async function hasRps(host: Host, nic: string, queues: readonly string[]): Promise<boolean> {
  const receiving = queues.filter((queue) => queue.startsWith('rx'))
  for (const queue of receiving) {
    const cpus = await settingOf(host, `${NET}/${nic}/queues/${queue}/rps_cpus`)
    if (cpus !== undefined && plainMask(cpus) !== '0') return true
  }
  return false
}

/** Those of the wanted that the interface has. */
async function settingsOf(
  host: Host,
  nic: string,
  queues: readonly string[],
  wanted: Wanted,
  signal: AbortSignal,
): Promise<readonly Setting[]> {
  const settings: Setting[] = []
  const add = (
    name: string,
    value: string | undefined,
    want: string | number | undefined,
    plain = (text: string) => text,
  ) => {
    if (value !== undefined && want !== undefined)
      settings.push({ name, value: plain(value), wanted: plain(String(want)) })
  }
  const read = (want: unknown, path: string) =>
    want === undefined ? undefined : settingOf(host, `${NET}/${nic}/${path}`)
  add('tx_queue_len', await read(wanted.tx_queue_len, 'tx_queue_len'), wanted.tx_queue_len)
  for (const queue of queues.toSorted()) {
    const keys = queue.startsWith('rx') ? (['rps_cpus', 'rps_flow_cnt'] as const) : (['xps_cpus'] as const)
    for (const key of keys) {
      const plain = key === 'rps_flow_cnt' ? undefined : plainMask
      add(`${queue}/${key}`, await read(wanted[key], `queues/${queue}/${key}`), wanted[key], plain)
    }
  }
  for (const flow of FLOWS) {
    const want = wanted.flow_hash?.[flow]
    if (want !== undefined) add(`flow_hash ${flow}`, await flowHashOf(host, nic, flow, signal), want, sorted)
  }
  return settings
}

const sorted = (letters: string) => [...letters].sort().join('')

/** The kernel writes a mask in groups with commas and zeros before it. */
function plainMask(text: string): string {
  return text
    .replaceAll(',', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
}
