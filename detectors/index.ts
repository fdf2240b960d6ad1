/** Every detector that ships with Starling. To add one, write its file and name it here. */
import { cadvisor } from './cadvisor.ts'
import { cadvisorCgroupMemory } from './cadvisor-cgroup-memory.ts'
import { cadvisorProcess } from './cadvisor-process.ts'
import { clockSkew } from './clock-skew.ts'
import { clocksource } from './clocksource.ts'
import { conntrack } from './conntrack.ts'
import { conntrackDrops } from './conntrack-drops.ts'
import type { Detector } from './contract.ts'
import { controlPlaneServices } from './control-plane-services.ts'
import { diskUsage } from './disk-usage.ts'
import { etcdConnections } from './etcd-connections.ts'
import { etcdHealth } from './etcd-health.ts'
import { etcdStatus } from './etcd-status.ts'
import { fileHandles } from './file-handles.ts'
import { fstab } from './fstab.ts'
import { inotifyExhausted } from './inotify-exhausted.ts'
import { kernelLog } from './kernel-log.ts'
import { kernelParams } from './kernel-params.ts'
import { kernelVersion } from './kernel-version.ts'
import { kubeletHealth } from './kubelet-health.ts'
import { kubeletProcess } from './kubelet-process.ts'
import { kubeletVersion } from './kubelet-version.ts'
import { load } from './load.ts'
import { memory } from './memory.ts'
import { nicCpu } from './nic-cpu.ts'
import { oomKills } from './oom-kills.ts'
import { peerLatency } from './peer-latency.ts'
import { peerLoss } from './peer-loss.ts'
import { pidMax } from './pid-max.ts'
import { processCount } from './process-count.ts'
import { psi } from './psi.ts'
import { readOnlyFs } from './read-only-fs.ts'
import { runtimeHealth } from './runtime-health.ts'
import { syslogLevel } from './syslog-level.ts'
import { systemdUnits } from './systemd-units.ts'
import { timeDaemon } from './time-daemon.ts'

/** In the order in which reports and the documentation list them. */
export const builtinDetectors: readonly Detector[] = [
  kernelParams,
  conntrack,
  diskUsage,
  clockSkew,
  timeDaemon,
  clocksource,
  peerLatency,
  peerLoss,
  kubeletProcess,
  systemdUnits,
  memory,
  load,
  psi,
  oomKills,
  processCount,
  pidMax,
  fileHandles,
  fstab,
  readOnlyFs,
  cadvisorProcess,
  cadvisorCgroupMemory,
  conntrackDrops,
  kernelVersion,
  syslogLevel,
  inotifyExhausted,
  nicCpu,
  cadvisor,
  kernelLog,
  kubeletHealth,
  kubeletVersion,
  runtimeHealth,
  controlPlaneServices,
  etcdStatus,
  etcdHealth,
  etcdConnections,
]
