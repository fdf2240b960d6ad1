/**
 * Are there many more tasks than processors? The load average counts those that run or want to, and those that wait for a
 * disk without being interruptible (proc(5)); the average over five minutes is held against the number of processors.
 */

import { z } from 'zod'
import { counted } from '../common/counted.ts'
import { defineDetector } from './contract.ts'

const LOADAVG = '/proc/loadavg'
const STAT = '/proc/stat'

export const load = defineDetector({
  name: 'load',
  summary: 'How many tasks run or wait to, for each processor.',
  every: '30s',
  timeout: '5s',
  needs: [],
  touches: { paths: [LOADAVG, STAT] },
  options: z
    .strictObject({
      // Twice as many as can run is a busy node, on which each waits as long as it runs. At five times a program gets a
      // fifth of a processor, and probes with timeouts of a second begin to fail.
      warnPerCpu: z.number().gt(0).default(2).describe('Five-minute load per processor from which it is a warning.'),
      alarmPerCpu: z.number().gt(0).default(5).describe('Five-minute load per processor from which it is an alarm.'),
    })
    .refine(({ warnPerCpu, alarmPerCpu }) => warnPerCpu < alarmPerCpu, 'warnPerCpu must be below alarmPerCpu'),
  reasons: {
    LoadHigh: {
      severity: 'warn',
      summary: 'Many more tasks want to run than there are processors: everything on the node is slower.',
      // The five-minute average is slow to rise and to fall by itself.
      sustain: '5m',
      runbook: 'load',
    },
    LoadExtreme: {
      severity: 'alarm',
      summary: 'So many tasks want to run that probes, heartbeats and leases of this node are late.',
      sustain: '2m',
      runbook: 'load',
      supersedes: 'LoadHigh',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    const average = parseFiveMinutes(await host.readText(LOADAVG))
    return { average, ...parseStat(await host.readText(STAT)) }
  },

  judge({ average, processors, running, blocked }, { warnPerCpu, alarmPerCpu }) {
    const perCpu = average / processors
    const summary =
      `the load is ${average} on ${counted(processors, 'processor')} (${perCpu.toFixed(1)} each); ` +
      `${counted(running, 'task runs or wants to', 'tasks run or want to')}, ${counted(blocked, 'waits', 'wait')} for a disk`
    const evidence = [
      { name: 'load5', value: average, limit: warnPerCpu * processors, unit: 'tasks' },
      { name: 'procs_running', value: running, unit: 'tasks' },
      { name: 'procs_blocked', value: blocked, unit: 'tasks' },
    ]
    const levels = [
      { reason: 'LoadHigh', from: warnPerCpu },
      { reason: 'LoadExtreme', from: alarmPerCpu },
    ] as const
    return levels.filter(({ from }) => perCpu >= from).map(({ reason }) => ({ reason, summary, evidence }))
  },
})

function parseFiveMinutes(text: string): number {
  const average = /^\d+\.\d\d (\d{1,9}\.\d\d) \d+\.\d\d \d+\/\d+ \d+$/.exec(text.trim())?.[1]
  if (average === undefined) throw new Error(`${LOADAVG} is not of the form of proc(5)`)
  return Number(average)
}

function parseStat(text: string): { processors: number; running: number; blocked: number } {
  const processors = text.match(/^cpu\d+ /gm)?.length ?? 0
  const count = (name: string) => Number(new RegExp(`^${name} (\\d{1,9})$`, 'm').exec(text)?.[1] ?? Number.NaN)
  const running = count('procs_running')
  const blocked = count('procs_blocked')
  if (processors === 0 || !Number.isFinite(running + blocked)) {
    throw new Error(`${STAT} does not say how many processors there are and what runs on them`)
  }
  return { processors, running, blocked }
}
