/** The units that may be restarted, and what that does to the containers that run: as data, shown in each plan. */
import { CRI_SOCKETS } from '../../detectors/contract.ts'

export interface Restartable {
  /** As the distributions name it; of several, that which systemd has is meant. */
  readonly units: readonly string[]
  /** Reasons that mean this one, whatever their cause. */
  readonly reasons: readonly string[]
  /** The socket that a RuntimeDown of it names. */
  readonly socket?: string
  /** What a restart does, as people read it before they approve one. */
  readonly effect: string
  /**
   * Its control group holds the shims of containers: with any KillMode= but `process` a stop ends these as well
   * (systemd.kill(5)).
   */
  readonly holdsShims: boolean
  /** Containers only go on with live-restore: dockerd otherwise stops all of them when it ends. */
  readonly needsLiveRestore: boolean
}

const PLAIN = { reasons: [], holdsShims: false, needsLiveRestore: false }

export const RESTARTABLE: readonly Restartable[] = [
  {
    ...PLAIN,
    units: ['kubelet.service'],
    reasons: ['KubeletDown', 'KubeletUnhealthy'],
    effect: 'containers go on; no pod is started, stopped or probed until it is up',
  },
  {
    ...PLAIN,
    units: ['containerd.service'],
    socket: CRI_SOCKETS.containerd,
    effect: 'containers go on under their shims; none is started or stopped until it is up',
    holdsShims: true,
  },
  {
    ...PLAIN,
    units: ['docker.service'],
    socket: CRI_SOCKETS.criDockerd,
    effect: 'containers go on by live-restore; none is started or stopped until it is up',
    holdsShims: true,
    needsLiveRestore: true,
  },
  {
    ...PLAIN,
    units: ['cadvisor.service'],
    reasons: ['CadvisorProcessDown'],
    effect: 'containers go on; there are no figures of them until it is up',
  },
  {
    ...PLAIN,
    units: ['chrony.service', 'chronyd.service'],
    reasons: ['TimeDaemonDown', 'TimeNotSynchronised'],
    effect: 'containers go on; nothing keeps the clock right until it is up',
  },
]

/** What systemd calls those, of a finding of systemd-units. */
const OF_UNITS = ['UnitFailed', 'UnitNotActive']

export const RESTART_REASONS: readonly string[] = [
  ...RESTARTABLE.flatMap(({ reasons }) => reasons),
  'RuntimeDown',
  ...OF_UNITS,
]

/** Undefined when a restart of none of them is what a finding of this reason and cause asks for. */
export function restartableFor(reason: string, cause: string): Restartable | undefined {
  return RESTARTABLE.find(({ units, reasons, socket }) => {
    if (OF_UNITS.includes(reason)) return units.includes(cause)
    return reason === 'RuntimeDown' ? socket === cause : reasons.includes(reason)
  })
}
