/**
 * Is the container runtime ready, and the pod network with it? Asked as the kubelet asks, over CRI on the runtime's socket.
 * A kubelet takes its node for NotReady when either is not, with a message that few look at; a runtime that hangs it misses
 * only after minutes (PLEG, 3 m).
 */
import { z } from 'zod'
import { durationMs } from '../common/duration.ts'
import { CRI_SOCKETS, defineDetector, type Host, type Judgement, NotApplicable, Unreachable } from './contract.ts'
import { answerTimeout } from './reading/answer-timeout.ts'
import { type RuntimeCondition, type RuntimeStatus, runtimeStatus } from './reading/cri.ts'
import { KUBELET_SIGNS } from './reading/kubelet.ts'

/** What a runtime leaves on disk when it is gone, and some of them their socket not. */
const SIGNS: Readonly<Record<keyof typeof CRI_SOCKETS, string>> = {
  containerd: '/var/lib/containerd',
  crio: '/etc/crio',
  k3s: '/var/lib/rancher/k3s/agent',
  microk8s: '/var/snap/microk8s/common/run',
  criDockerd: CRI_SOCKETS.criDockerd,
}
const RUNTIMES = Object.keys(SIGNS) as readonly (keyof typeof CRI_SOCKETS)[]

interface Runtime {
  readonly socket: string
  /** Why it does not answer: ECONNREFUSED, ENOENT, ETIMEDOUT and so on. */
  readonly unreachable?: string
  /** Undefined also where what answers does not know CRI, such as a containerd that only serves Docker. */
  readonly runtime?: string
  readonly conditions?: readonly RuntimeCondition[]
}

type RuntimeReason = 'RuntimeDown' | 'CniUnhealthy'

export const runtimeHealth = defineDetector({
  name: 'runtime-health',
  summary: 'Whether the container runtime answers and says that it and the pod network are ready.',
  every: '15s',
  timeout: '14s',
  needs: ['cri'],
  touches: {
    paths: [...Object.values(SIGNS), '/run/**', '/var/snap/microk8s/common/run/*', ...KUBELET_SIGNS],
    services: ['unix:/**'],
  },
  options: z.strictObject({
    sockets: z
      .array(z.string().regex(/^\/[^:]+$/, 'must be an absolute path without a colon'))
      .max(4)
      .default([])
      .describe('Sockets of the runtimes that must be here; empty: those at the usual places.'),
    timeout: answerTimeout('5s', '6s'),
  }),
  reasons: {
    RuntimeDown: {
      severity: 'alarm',
      summary: 'The container runtime does not work: containers go on, but none is started, stopped or looked at.',
      // Longer than a restart of the runtime; shorter than what others wait before they act (60 to 90 s).
      sustain: '30s',
      runbook: 'runtime-health',
    },
    CniUnhealthy: {
      severity: 'alarm',
      summary:
        'The runtime has no pod network: no new pod gets an address, and Kubernetes takes the node for NotReady.',
      // On a new node the network's own pod brings its configuration, after a minute or so.
      sustain: '1m',
      runbook: 'runtime-health',
    },
  },

  async sample(host, { sockets, timeout }, signal) {
    signal.throwIfAborted()
    const hasKubelet = await anyExists(host, KUBELET_SIGNS)
    const wanted = sockets.length > 0 ? sockets : await socketsOf(host, hasKubelet)
    const ask = { signal, withinMs: durationMs(timeout) }
    const runtimes = await Promise.all(
      wanted.map(async (socket): Promise<Runtime> => {
        try {
          return readyOrNot(socket, await runtimeStatus(host, socket, ask))
        } catch (error) {
          if (error instanceof Unreachable) return { socket, unreachable: error.code }
          throw error
        }
      }),
    )
    const isMeant = sockets.length > 0 || hasKubelet
    const hasOne = runtimes.some(({ conditions }) => conditions !== undefined)
    // One that left no more than its folder was replaced where another serves.
    const isReplaced = ({ unreachable }: Runtime) => hasOne && unreachable === 'ENOENT'
    const serving = runtimes.filter((one) => (one.conditions ?? one.unreachable) && !isReplaced(one))
    if (serving.length === 0 && !isMeant) throw new NotApplicable('no container runtime that serves Kubernetes is here')
    // One that knows no CRI says nothing where another does.
    return sockets.length > 0 || serving.length === 0 ? runtimes : serving
  },

  judge: (runtimes) => runtimes.flatMap(judgeRuntime),
})

async function anyExists(host: Host, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (await host.exists(path)) return true
  return false
}

/** The sockets that are there; on a node with a kubelet also those of runtimes that left no more than their sign. */
async function socketsOf(host: Host, hasKubelet: boolean): Promise<readonly string[]> {
  const found: string[] = []
  for (const runtime of RUNTIMES) {
    const socket = CRI_SOCKETS[runtime]
    if ((await host.exists(socket)) || (hasKubelet && (await host.exists(SIGNS[runtime])))) found.push(socket)
  }
  if (found.length === 0) throw new NotApplicable('this host has no container runtime at any of the usual places')
  return found
}

/** Throws an Error when it answers and says nothing of what is asked: that is not fine, and no fault that could be named. */
function readyOrNot(socket: string, status: RuntimeStatus | undefined): Runtime {
  if (status?.conditions.every(({ type }) => type !== 'RuntimeReady')) {
    throw new Error(`${socket} does not say whether the runtime is ready`)
  }
  return { socket, ...status }
}

function judgeRuntime({ socket, unreachable, runtime, conditions }: Runtime): readonly Judgement<RuntimeReason>[] {
  const judgement = (reason: RuntimeReason, summary: string, state: string) => ({
    reason,
    cause: socket,
    summary,
    evidence: [
      { name: socket, value: state, limit: 'ready', unit: '' },
      ...(runtime === undefined ? [] : [{ name: 'runtime', value: runtime, unit: '' }]),
    ],
  })
  if (unreachable !== undefined) {
    const why =
      unreachable === 'ETIMEDOUT' ? 'accepts a call and does not answer it' : `does not answer: ${unreachable}`
    return [judgement('RuntimeDown', `1 container runtime, at ${socket}, ${why}`, unreachable)]
  }
  if (conditions === undefined) {
    return [
      judgement(
        'RuntimeDown',
        `what answers at ${socket} serves 0 versions of CRI: its CRI part is off or broken`,
        'no CRI',
      ),
    ]
  }
  const failed = (type: string) => conditions.find((condition) => condition.type === type && !condition.status)
  const down = failed('RuntimeReady')
  const network = failed('NetworkReady')
  return [
    ...(down === undefined
      ? []
      : [judgement('RuntimeDown', `${runtime} says that it is not ready: ${wordsOf(down)}`, down.reason)]),
    ...(network === undefined
      ? []
      : [judgement('CniUnhealthy', `${runtime} has no pod network: ${wordsOf(network)}`, network.reason)]),
  ]
}

function wordsOf({ reason, message }: RuntimeCondition): string {
  return [reason, message].filter((text) => text !== '').join(', ') || 'it does not say why'
}
