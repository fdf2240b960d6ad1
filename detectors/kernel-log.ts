/**
 * What the kernel complains of in its own log: that it broke, hangs, or that hardware does. Each text is that of the kernel's
 * sources (printk calls of 4.19 to 6.12); some are written in two ways by older and newer ones.
 */
import { z } from 'zod'
import { defineDetector } from './contract.ts'
import { judgeLog, type LogRule, watchOf } from './logs/judge-log.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

type KernelReason =
  | 'KernelOops'
  | 'CpuLockedUp'
  | 'RcuStalled'
  | 'TaskHung'
  | 'FilesystemCorrupt'
  | 'DiskErrors'
  | 'HardwareErrors'
  | 'HardwareErrorFatal'
  | 'NetdeviceStuck'
  | 'ConntrackTableFull'
  | 'NeighbourTableFull'

interface KernelRule extends LogRule {
  readonly reason: KernelReason
}

const rule = (reason: KernelReason, pattern: string, more: Partial<LogRule> = {}): KernelRule => ({
  pattern,
  ignoreCase: false,
  times: 1,
  // Longer than the kernel takes to say it again, where it does: hung tasks each 120 s, lockups each 20 s.
  holdMs: 10 * MINUTE_MS,
  ...more,
  reason,
})

const RULES: readonly KernelRule[] = [
  // What it does from then on is anybody's guess, until it is started again; with that its log begins anew.
  rule('KernelOops', '(?:BUG: unable to handle|kernel BUG at|Oops: |Internal error: Oops)', { holdMs: 7 * DAY_MS }),
  rule('CpuLockedUp', 'BUG: soft lockup - CPU#(?<cause>\\d+) stuck for'),
  rule('CpuLockedUp', 'Watchdog detected hard LOCKUP on cpu (?<cause>\\d+)'),
  rule('RcuStalled', '(?:self-detected stall on CPU|detected stalls on CPUs/tasks)'),
  // Workers of the kernel are numbered, kworker/u8:3, and the next to hang on the same thing is another one.
  rule('TaskHung', 'task (?<cause>.{1,64}?)(?:/u?\\d+:\\d+.{0,64})?:\\d+ blocked for more than \\d+ seconds'),
  // Stays so until it is repaired, for which it is unmounted; some kernels say so, all that it is mounted again.
  rule('FilesystemCorrupt', 'EXT4-fs error \\(device (?<cause>[^)]+)\\)', {
    holdMs: DAY_MS,
    clear: 'EXT4-fs \\((?<cause>[^)]+)\\): (?:un)?mount(?:ed|ing) filesystem',
  }),
  rule('FilesystemCorrupt', 'XFS \\((?<cause>[^)]+)\\): .*(?:[Cc]orruption|[Ss]hutting down|has been shut down)', {
    holdMs: DAY_MS,
    clear: 'XFS \\((?<cause>[^)]+)\\): (?:Unmounting|Mounting|Ending clean mount)',
  }),
  rule(
    'FilesystemCorrupt',
    'BTRFS (?:error|critical) \\(device (?<cause>[^):]+)[^)]*\\).*(?:corrupt|csum|forced readonly)',
    {
      holdMs: DAY_MS,
      clear: 'BTRFS info \\(device (?<cause>[^):]+)[^)]*\\): (?:last unmount|first mount) of filesystem',
    },
  ),
  rule('DiskErrors', '(?:I/O|critical (?:medium|target)) error, dev (?<cause>[\\w-]+)'),
  rule('DiskErrors', 'Buffer I/O error on dev(?:ice)? (?<cause>[\\w-]+)'),
  rule(
    'HardwareErrors',
    '\\[Hardware Error\\]: (?:Machine check events logged|event severity: (?:corrected|recoverable))',
  ),
  rule('HardwareErrors', 'EDAC MC(?<cause>\\d+): \\d+ CE '),
  rule('HardwareErrorFatal', '\\[Hardware Error\\]: event severity: fatal', { holdMs: DAY_MS }),
  rule('HardwareErrorFatal', 'EDAC MC(?<cause>\\d+): \\d+ UE ', { holdMs: DAY_MS }),
  // Said each 10 s while it waits; node-problem-detector's own rule is three within 20 min.
  rule('NetdeviceStuck', 'unregister_netdevice: waiting for (?<cause>\\S+) to become free', {
    times: 3,
    holdMs: 20 * MINUTE_MS,
  }),
  rule('ConntrackTableFull', 'nf_conntrack: table full, dropping packet'),
  rule('NeighbourTableFull', '(?<cause>\\w+): neighbor table overflow'),
]

/** Of virtual machines above all: each time that somebody lists the block devices, one without a disk in it fails to be read. */
const EMPTY_DRIVES = ['fd0', 'sr0']

const WATCH = watchOf({ kind: 'kmsg' }, RULES)

export const kernelLog = defineDetector({
  name: 'kernel-log',
  summary: 'What the kernel complains of in its log: its own faults, tasks that hang, disks, filesystems, hardware.',
  every: '15s',
  timeout: '10s',
  needs: ['kmsg'],
  touches: { paths: ['/dev/kmsg'] },
  options: z.strictObject({
    ignoreCauses: z
      .array(z.string().min(1).max(64))
      .max(64)
      .default(EMPTY_DRIVES)
      .describe(
        'Devices, tasks and interfaces whose lines are passed over. Replaces the default, drives without a disk.',
      ),
  }),
  reasons: {
    KernelOops: {
      severity: 'alarm',
      summary: 'The kernel broke a rule of its own: it may hang, or write wrong data, until it is started again.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    CpuLockedUp: {
      severity: 'alarm',
      summary: 'A processor ran kernel code for tens of seconds on end: nothing else got a turn on it.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    RcuStalled: {
      severity: 'warn',
      summary:
        'A processor did not come to rest for 21 s: the kernel cannot free memory, or the host lacks processor time.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    TaskHung: {
      severity: 'warn',
      summary: 'A task waits for a disk or a lock for minutes and cannot be killed.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    FilesystemCorrupt: {
      severity: 'alarm',
      summary: 'A filesystem found itself damaged, or was shut down: files are lost or cannot be written.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    DiskErrors: {
      severity: 'warn',
      summary: 'A disk answers reads or writes with errors.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    HardwareErrors: {
      severity: 'warn',
      summary: 'Memory or a processor had errors that were corrected; uncorrected ones often follow.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    HardwareErrorFatal: {
      severity: 'alarm',
      summary: 'Memory or a processor had an error that could not be corrected.',
      sustain: '0s',
      runbook: 'kernel-log',
      supersedes: 'HardwareErrors',
    },
    NetdeviceStuck: {
      severity: 'warn',
      summary: 'A network interface of a pod cannot be removed: pods hang as they end, and later as they start.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    ConntrackTableFull: {
      severity: 'alarm',
      summary: 'Packets of new connections are dropped, since the connection-tracking table is full.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
    NeighbourTableFull: {
      severity: 'alarm',
      summary: 'The table of neighbours (ARP, NDP) is full: hosts and pods of the same network are not reached.',
      sustain: '0s',
      runbook: 'kernel-log',
    },
  },

  async sample(host, _options, signal) {
    signal.throwIfAborted()
    return host.log(WATCH, signal)
  },

  judge(tallies, { ignoreCauses }) {
    return judgeLog(
      RULES,
      tallies.filter(({ cause }) => !ignoreCauses.includes(cause)),
    )
  },
})
