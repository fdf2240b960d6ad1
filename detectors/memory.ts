/**
 * Is the node's memory used up? What counts is what the kernel could still give without swapping (MemAvailable, proc(5)):
 * free memory alone says nothing, since a healthy kernel fills it with file cache.
 */
import { z } from 'zod'
import { defineDetector } from './contract.ts'
import { IN_ORDER, inOrder, percent, ratio, reached } from './reading/levels.ts'
import { MEMINFO, parseMeminfo } from './reading/meminfo.ts'

export const memory = defineDetector({
  name: 'memory',
  summary: 'How much memory is left for programs.',
  every: '15s',
  timeout: '5s',
  needs: [],
  touches: { paths: [MEMINFO] },
  options: z
    .strictObject({
      // The cloud vendors' detectors warn at 80 to 90 %. The kubelet evicts below 100 MiB, which is 5 % of 2 GiB.
      warnRatio: ratio.default(0.9).describe('Share of the memory in use from which it is a warning.'),
      alarmRatio: ratio.default(0.95).describe('Share of the memory in use from which it is an alarm.'),
    })
    .refine(inOrder, IN_ORDER),
  reasons: {
    MemoryLow: {
      severity: 'warn',
      summary: 'Memory is running short: file cache is given up, and everything that reads files becomes slower.',
      sustain: '2m',
      runbook: 'memory',
    },
    MemoryAlmostFull: {
      severity: 'alarm',
      summary: 'Memory is all but used up: the kubelet evicts pods, or the kernel kills processes.',
      sustain: '30s',
      runbook: 'memory',
      supersedes: 'MemoryLow',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return parseMeminfo(await host.readText(MEMINFO))
  },

  judge({ usableKb, availableKb, unreclaimableKb }, options) {
    const usedKb = usableKb - availableKb
    const share = usedKb / usableKb
    const summary = `${percent(share)} of ${mebibytes(usableKb)} MiB of memory are in use, ${mebibytes(availableKb)} MiB are left`
    const evidence = [
      { name: 'memory used', value: usedKb, limit: usableKb, unit: 'KiB' },
      // Of the kernel itself. When most of what is used is here, no pod is to blame.
      { name: 'SUnreclaim', value: unreclaimableKb, unit: 'KiB' },
    ]
    return reached(share, options, 'MemoryLow', 'MemoryAlmostFull').map((reason) => ({ reason, summary, evidence }))
  },
})

const mebibytes = (kibibytes: number) => Math.floor(kibibytes / 1024)
