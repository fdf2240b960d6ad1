/**
 * Do tasks stand still for want of processor, memory or disk? Pressure stall information (the kernel's
 * Documentation/accounting/psi.rst) is the share of time in which some, or all ("full"), of the tasks that had work to do
 * could not go on. Use of a resource can be high without harm; this is the harm.
 */
import { z } from 'zod'
import { defineDetector, type Judgement } from './contract.ts'
import { PRESSURE, readPressure } from './reading/pressure.ts'

const percentage = z.number().gt(0).lte(100)
const thresholds = (warn: number, alarm: number) =>
  z
    .strictObject({ warn: percentage.default(warn), alarm: percentage.default(alarm) })
    .refine((levels) => levels.warn < levels.alarm, 'warn must be below alarm')
    .prefault({})

type PsiReason = 'CpuStalls' | 'CpuStarved' | 'MemoryStalls' | 'MemoryThrashing' | 'IoStalls' | 'IoStuck'

/**
 * Of a processor it is normal that some task waits, and that all do cannot be on a whole host: so "some" over five minutes.
 * Of memory and disk, "full" over one minute: nothing got done in that share of the time.
 */
const RESOURCES = [
  { name: 'cpu', share: 'some', average: 'avg300', warn: 'CpuStalls', alarm: 'CpuStarved' },
  { name: 'memory', share: 'full', average: 'avg60', warn: 'MemoryStalls', alarm: 'MemoryThrashing' },
  { name: 'io', share: 'full', average: 'avg60', warn: 'IoStalls', alarm: 'IoStuck' },
] as const

type Resource = (typeof RESOURCES)[number]['name']

export const psi = defineDetector({
  name: 'psi',
  summary: 'The share of time in which tasks stand still for want of processor, memory or disk.',
  every: '30s',
  timeout: '5s',
  needs: [],
  touches: { paths: [`${PRESSURE}/*`] },
  options: z.strictObject({
    cpu: thresholds(70, 90).describe('Percent of five minutes in which some task waited for a processor.'),
    // systemd-oomd begins to kill at 60 % by default; from 10 % on people notice.
    memory: thresholds(10, 40).describe('Percent of a minute in which all tasks waited for memory.'),
    io: thresholds(40, 80).describe('Percent of a minute in which all tasks waited for a disk.'),
  }),
  reasons: {
    CpuStalls: {
      severity: 'warn',
      summary: 'Tasks wait for a processor most of the time: latency of everything on the node is up.',
      sustain: '5m',
      runbook: 'psi',
    },
    CpuStarved: {
      severity: 'alarm',
      summary: 'Tasks wait for a processor nearly all of the time.',
      sustain: '5m',
      runbook: 'psi',
      supersedes: 'CpuStalls',
    },
    MemoryStalls: {
      severity: 'warn',
      summary: 'The whole node stands still again and again while the kernel looks for memory.',
      sustain: '1m',
      runbook: 'psi',
    },
    MemoryThrashing: {
      severity: 'alarm',
      summary: 'The node thrashes: most of the time all it does is look for memory. It may look dead from outside.',
      sustain: '30s',
      runbook: 'psi',
      supersedes: 'MemoryStalls',
    },
    IoStalls: {
      severity: 'warn',
      summary: 'The whole node waits for its disks much of the time.',
      sustain: '3m',
      runbook: 'psi',
    },
    IoStuck: {
      severity: 'alarm',
      summary: 'The whole node waits for its disks nearly all of the time: one is slow, failing, or throttled.',
      sustain: '2m',
      runbook: 'psi',
      supersedes: 'IoStalls',
    },
  },

  async sample(host, _options, signal) {
    const figures: Partial<Record<Resource, number>> = {}
    for (const { name, share, average } of RESOURCES) {
      signal.throwIfAborted()
      figures[name] = await readPressure(host, name, share, average)
    }
    return figures
  },

  judge(figures, options) {
    return RESOURCES.flatMap(({ name, share, average, warn, alarm }): readonly Judgement<PsiReason>[] => {
      const figure = figures[name]
      if (figure === undefined) return []
      const who = share === 'some' ? 'some task' : 'every task'
      const over = average === 'avg60' ? 'the last minute' : 'the last five minutes'
      const summary = `${who} waited for ${WORDS[name]} in ${figure} % of ${over}`
      const evidence = [{ name: `${name} ${share} ${average}`, value: figure, limit: options[name].warn, unit: '%' }]
      const levels = [
        { reason: warn, from: options[name].warn },
        { reason: alarm, from: options[name].alarm },
      ]
      return levels.filter(({ from }) => figure >= from).map(({ reason }) => ({ reason, summary, evidence }))
    })
  },
})

const WORDS: Record<Resource, string> = { cpu: 'a processor', memory: 'memory', io: 'a disk' }
