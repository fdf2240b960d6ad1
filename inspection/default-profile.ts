/** The profile that a mesh has until its settings say otherwise: a part each for etcd, control and compute nodes, and others. */
import type { InspectionProfile, ProfileCheck } from './profile-model.ts'

const ETCD = ['etcd-health', 'etcd-status', 'etcd-connections']
const CONTROL_PLANE = ['control-plane-services']
const KUBERNETES = ['kubelet-health', 'kubelet-process', 'kubelet-version', 'runtime-health']
const CONTAINERS = ['cadvisor', 'cadvisor-process', 'cadvisor-cgroup-memory', 'oom-kills']
const TIME = ['clock-skew', 'time-daemon', 'clocksource']
const DISKS = ['disk-usage', 'read-only-fs', 'fstab']
const KERNEL = ['kernel-params', 'kernel-version', 'kernel-log', 'syslog-level']
const NETWORK = ['conntrack', 'conntrack-drops', 'nic-cpu', 'peer-latency', 'peer-loss']
const LIMITS = ['memory', 'load', 'psi', 'process-count', 'pid-max', 'file-handles', 'inotify-exhausted']
const SERVICES = ['systemd-units']

/** All that is told of any host, disks before all else on those of etcd. */
const HOST = [...KERNEL, ...TIME, ...DISKS, ...NETWORK, ...LIMITS, ...SERVICES]

/** What plugins find, and agents say of themselves, must not go unseen. */
const OTHERS: ProfileCheck = { check: 'others', detectors: 'others' }

export const DEFAULT_PROFILE: InspectionProfile = {
  name: 'default',
  roles: [
    { role: 'etcd', checks: checks(...ETCD, ...DISKS, ...TIME, ...HOST) },
    {
      role: 'control-plane',
      of: ['control-plane', 'master'],
      checks: checks(...CONTROL_PLANE, ...KUBERNETES, ...HOST),
    },
    {
      role: 'compute',
      of: ['compute', 'worker', 'node'],
      withoutRole: true,
      checks: checks(...KUBERNETES, ...CONTAINERS, ...HOST),
    },
    { role: 'other-services', of: 'others', checks: checks(...HOST, ...KUBERNETES, ...CONTAINERS) },
  ],
}

function checks(...names: readonly string[]): readonly ProfileCheck[] {
  return [...[...new Set(names)].map((check) => ({ check })), OTHERS]
}
