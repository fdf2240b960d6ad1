/** Every detector that ships with Starling. To add one, write its file and name it here. */
import { clockSkew } from './clock-skew.ts'
import { conntrack } from './conntrack.ts'
import { conntrackDrops } from './conntrack-drops.ts'
import type { Detector } from './contract.ts'
import { diskUsage } from './disk-usage.ts'
import { fstab } from './fstab.ts'
import { inotifyExhausted } from './inotify-exhausted.ts'
import { kernelParams } from './kernel-params.ts'
import { kernelVersion } from './kernel-version.ts'
import { kubeletProcess } from './kubelet-process.ts'
import { nicCpu } from './nic-cpu.ts'
import { readOnlyFs } from './read-only-fs.ts'
import { syslogLevel } from './syslog-level.ts'

/** In the order in which reports and the documentation list them. */
export const builtinDetectors: readonly Detector[] = [
  kernelParams,
  conntrack,
  diskUsage,
  clockSkew,
  kubeletProcess,
  fstab,
  readOnlyFs,
  conntrackDrops,
  kernelVersion,
  syslogLevel,
  inotifyExhausted,
  nicCpu,
]
