/**
 * Spreads the work of receiving packets over the CPUs, and sets queues of an interface as they are wanted: the length of the
 * transmit queue, the CPUs that packets are handed on to (RPS, RFS, XPS), and what a card chooses its queue by. Nothing of
 * it takes the link down.
 */
import { z } from 'zod'
import { type Finding, type Host, NotApplicable } from '../detectors/contract.ts'
import { ETHTOOL, flowHashOf, isNicName, NET, queuesOf, settingOf } from '../detectors/reading/nics.ts'
import { applyChanges, revertChanges, type Value } from './changes.ts'
import { type Change, type Control, defineRemediator } from './contract.ts'
import { shellWord } from './shell.ts'

const SETTINGS = [
  `${NET}/*/tx_queue_len`,
  ...['rps_cpus', 'rps_flow_cnt', 'xps_cpus'].map((key) => `${NET}/*/queues/*/${key}`),
]
/** The CPUs of the memory that the card is at, as a mask. */
const LOCAL_CPUS = 'device/local_cpus'
/** As the detector nic-cpu names what differs, below the folder of the interface. */
const SETTING = /^(?:tx_queue_len|rx-\d{1,4}\/rps_(?:cpus|flow_cnt)|tx-\d{1,4}\/xps_cpus)$/
const FLOW = /^flow_hash ((?:tcp|udp)[46])$/
/** How a change names the hash of a flow, which is no file. */
const HASH = /^rx-flow-hash ((?:tcp|udp)[46]) of (\S+)$/
/** In one plan (schema.ts). */
const CHANGES_MAX = 64
/** In this order ethtool says them: addresses, ports, VLAN. */
const LETTERS = ['s', 'd', 'f', 'n', 'v']

interface Seen {
  /** By what a change names it, as the kernel writes it now. */
  readonly values: Readonly<Record<string, string>>
  /** The CPUs to spread to; undefined for a finding that says what is wanted itself. */
  readonly cpus?: string
}

export const nicTune = defineRemediator({
  name: 'nic-tune',
  summary: 'Hands received packets on to more CPUs, and sets queues of an interface as they are wanted.',
  handles: ['NicOnOneCpu', 'NicQueueDiffers'],
  reach: 'none',
  risk: 'low',
  reversible: true,
  touches: { paths: [...SETTINGS, `${NET}/*/${LOCAL_CPUS}`], writes: SETTINGS, commands: [ETHTOOL] },
  options: z.strictObject({
    rpsCpus: z
      .string()
      .regex(/^[0-9a-fA-F]{1,8}(,[0-9a-fA-F]{8})*$/, 'must be a mask as the kernel writes it, as ff or ff,ffffffff')
      .optional()
      .describe(
        'CPUs that packets are handed on to when one has them all; those of the memory that the card is at when not given.',
      ),
  }),

  async inspect(host, finding, { rpsCpus }, signal): Promise<Seen> {
    signal.throwIfAborted()
    const nic = finding.cause
    if (!isNicName(nic)) throw new Error(`${JSON.stringify(nic.slice(0, 40))} is no name of an interface`)
    const settings =
      finding.reason === 'NicOnOneCpu' ? await steered(host, nic) : finding.evidence.map(({ name }) => name)
    const values: Record<string, string> = {}
    for (const setting of settings) {
      const what = nameOf(nic, setting)
      if (what !== undefined) values[what] = await readSetting(host, what, signal)
    }
    if (finding.reason !== 'NicOnOneCpu') return { values }
    const cpus = rpsCpus ?? (await host.readText(`${NET}/${nic}/${LOCAL_CPUS}`)).trim()
    if (settings.length >= cpusIn(cpus)) {
      throw new NotApplicable(`${nic} has ${settings.length} queues for ${cpusIn(cpus)} CPUs: spread its interrupts`)
    }
    return { values, cpus }
  },

  plan(finding, _options, { values, cpus }) {
    const changes =
      finding.reason === 'NicOnOneCpu' ? spreadChanges(values, cpus ?? '') : wantedChanges(finding, values)
    return changes.length === 0 || changes.length > CHANGES_MAX ? null : changes
  },

  apply: (plan, control, signal) => applyChanges(plan, (what) => writable(control, what, signal), signal),
  revert: (plan, control, signal) => revertChanges(plan, (what) => writable(control, what, signal), signal),
})

/** What the settings of the detector want, as it was held against what is. */
function wantedChanges({ cause, evidence }: Finding, values: Seen['values']): readonly Change[] {
  return evidence.flatMap(({ name, limit }): readonly Change[] => {
    const what = nameOf(cause, name)
    const before = what === undefined ? undefined : values[what]
    if (what === undefined || before === undefined || limit === undefined) return []
    const after = HASH.test(what) ? inOrder(String(limit)) : writtenAs(before, String(limit), what.endsWith('_cpus'))
    return after === undefined || after === before ? [] : [changeOf(what, before, after)]
  })
}

/** Of each queue that hands on none. */
function spreadChanges(values: Seen['values'], cpus: string): readonly Change[] {
  return Object.entries(values).flatMap(([what, before]) => {
    const after = cpusIn(before) === 0 ? writtenAs(before, cpus, true) : undefined
    return after === undefined || after === before ? [] : [changeOf(what, before, after)]
  })
}

function changeOf(what: string, before: string, after: string): Change {
  const [, flow, nic] = HASH.exec(what) ?? []
  const undo =
    flow === undefined
      ? `echo ${before} > ${shellWord(what)}`
      : `ethtool -N ${shellWord(nic ?? '')} rx-flow-hash ${flow} ${before}`
  return { what, before, after, undo }
}

/** Undefined for what is no setting of an interface. */
function nameOf(nic: string, setting: string): string | undefined {
  if (!isNicName(nic)) return undefined
  const flow = FLOW.exec(setting)?.[1]
  if (flow !== undefined) return `rx-flow-hash ${flow} of ${nic}`
  if (!SETTING.test(setting)) return undefined
  return `${NET}/${nic}/${setting.includes('/') ? 'queues/' : ''}${setting}`
}

/** The settings that say which CPUs the received packets of each queue are handed on to. */
async function steered(host: Host, nic: string): Promise<readonly string[]> {
  const receiving = (await queuesOf(host, nic)).filter((queue) => queue.startsWith('rx'))
  return receiving.toSorted().map((queue) => `${queue}/rps_cpus`)
}

/**
 * `wanted` in the form in which the kernel writes the value, as long as `before`; undefined for a mask of more CPUs than there
 * are, and for what is no number.
 */
function writtenAs(before: string, wanted: string, isMask: boolean): string | undefined {
  if (!isMask) return /^\d{1,10}$/.test(wanted) ? wanted : undefined
  const digits = before.replaceAll(',', '').length
  const mask = wanted
    .replaceAll(',', '')
    .toLowerCase()
    .replace(/^0+(?=.)/, '')
  if (!/^[0-9a-f]+$/.test(mask) || mask.length > digits) return undefined
  return mask.padStart(digits, '0').replace(/\B(?=(?:.{8})+$)/g, ',')
}

function cpusIn(mask: string): number {
  const digits = [...mask.replaceAll(',', '')].map((digit) => Number.parseInt(digit, 16))
  return digits.reduce((sum, digit) => sum + [1, 2, 4, 8].filter((bit) => (digit & bit) !== 0).length, 0)
}

function inOrder(letters: string): string | undefined {
  return /^[sdfnv]{1,5}$/.test(letters) ? LETTERS.filter((letter) => letters.includes(letter)).join('') : undefined
}

function writable(control: Control, what: string, signal: AbortSignal): Value {
  const [, flow = '', nic = ''] = HASH.exec(what) ?? []
  const read = () => readSetting(control.host, what, signal)
  if (flow === '') return { read, write: (value) => control.writeText(what, `${value}\n`) }
  return {
    read,
    write: async (letters) => {
      const { code, stderr } = await control.host.run([ETHTOOL, '-N', nic, 'rx-flow-hash', flow, letters], { signal })
      if (code !== 0) throw new Error(`${what} cannot be set: ${stderr.trim().split('\n')[0]}`)
    },
  }
}

async function readSetting(host: Host, what: string, signal: AbortSignal): Promise<string> {
  const [, flow, nic] = HASH.exec(what) ?? []
  const value =
    flow === undefined || nic === undefined ? await settingOf(host, what) : await flowHashOf(host, nic, flow, signal)
  if (value === undefined) throw new NotApplicable(`${what} cannot be seen on this host`)
  return value
}
