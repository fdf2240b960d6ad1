/** Every detector that ships with Starling. To add one, write its file and name it here. */
import { clockSkew } from './clock-skew.ts'
import { conntrack } from './conntrack.ts'
import type { Detector } from './contract.ts'
import { diskUsage } from './disk-usage.ts'
import { kernelParams } from './kernel-params.ts'
import { kubeletProcess } from './kubelet-process.ts'
import { runtimeHealth } from './runtime-health.ts'

/** In the order in which reports and the documentation list them. */
export const builtinDetectors: readonly Detector[] = [
  kernelParams,
  conntrack,
  diskUsage,
  clockSkew,
  kubeletProcess,
  runtimeHealth,
]
