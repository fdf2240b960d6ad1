/**
 * The parts of Kubernetes' control plane that are meant to run on this node, by its static pods: does each of them run, and
 * does it say that it is well? Each is asked on the port of its own, on the loopback interface, as the kubelet's probes do.
 */
import { z } from 'zod'
import { durationMs } from '../common/duration.ts'
import {
  type CallOptions,
  defineDetector,
  type Host,
  type HostProcess,
  type Judgement,
  NotApplicable,
  Unreachable,
} from './contract.ts'
import { answerTimeout } from './reading/answer-timeout.ts'
import { asking, etcdOf } from './reading/etcd.ts'
import { flagOf } from './reading/flags.ts'
import { failedChecks } from './reading/health-checks.ts'
import { withheld } from './reading/privilege.ts'

const COMPONENTS = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'] as const
type Component = (typeof COMPONENTS)[number]

/** Where each answers unless its flags say otherwise, and what is asked there; whether it is alive comes first. */
const ASKED: Readonly<
  Record<Exclude<Component, 'etcd'>, { readonly port: string; readonly paths: readonly string[] }>
> = {
  'kube-apiserver': { port: '6443', paths: ['/livez', '/readyz'] },
  'kube-controller-manager': { port: '10257', paths: ['/healthz'] },
  'kube-scheduler': { port: '10259', paths: ['/healthz'] },
}
const READY = '/readyz'

interface Answer {
  readonly path: string
  /** Why there is none. */
  readonly unreachable?: string
  readonly status?: number
  readonly failed?: readonly string[]
}

interface Service {
  readonly component: Component
  /** Undefined when no process is it. */
  readonly id: string | undefined
  readonly url: string
  readonly answers: readonly Answer[]
}

type ServiceReason = 'ControlPlaneServiceDown' | 'ControlPlaneServiceUnhealthy' | 'ControlPlaneServiceNotReady'

export const controlPlaneServices = defineDetector({
  name: 'control-plane-services',
  summary: 'Whether the parts of the control plane that are meant to be here run and are well.',
  every: '15s',
  timeout: '14s',
  needs: [],
  touches: { paths: ['/**'], services: ['http://*', 'https://*'] },
  options: z.strictObject({
    components: z
      .array(z.enum(COMPONENTS))
      .default([])
      .describe('What is meant to run here; empty: what has a manifest in the folder of static pods.'),
    manifests: z
      .string()
      .startsWith('/', 'must be an absolute path')
      .default('/etc/kubernetes/manifests')
      .describe('The folder of static pods.'),
    timeout: answerTimeout('5s', '10s'),
  }),
  reasons: {
    ControlPlaneServiceDown: {
      severity: 'alarm',
      summary: 'A part of the control plane does not run here, or does not answer.',
      // Longer than the kubelet takes to start a static pod again, as in an upgrade.
      sustain: '30s',
      runbook: 'control-plane-services',
    },
    ControlPlaneServiceUnhealthy: {
      severity: 'alarm',
      summary: 'A part of the control plane says that it is not well; the kubelet will restart it.',
      sustain: '30s',
      runbook: 'control-plane-services',
    },
    ControlPlaneServiceNotReady: {
      severity: 'warn',
      summary: 'The API server here runs and is not ready: balancers send it no requests.',
      sustain: '30s',
      runbook: 'control-plane-services',
    },
  },

  async sample(host, { components, manifests, timeout }, signal) {
    signal.throwIfAborted()
    const meant = components.length > 0 ? components : await withManifest(host, manifests)
    const { processes, unseen } = await host.processes('now')
    signal.throwIfAborted()
    const bounds = { signal, withinMs: durationMs(timeout) }
    const services = await Promise.all(
      meant.map((component) => {
        const found = processes.find(
          ({ words: [program = ''] }) => program.slice(program.lastIndexOf('/') + 1) === component,
        )
        if (found === undefined && unseen !== undefined) throw unseen
        return component === 'etcd' ? askEtcd(host, found, bounds) : ask(host, component, found, bounds)
      }),
    )
    return { services, processes: processes.length }
  },

  judge: ({ services, processes }) => services.flatMap((service) => judgeService(service, processes)),
})

async function withManifest(host: Host, folder: string): Promise<readonly Component[]> {
  const names = await host.list(folder).catch(async (error: unknown) => {
    throw error instanceof NotApplicable ? error : await withheld(host, `look into ${folder}, or \`components\``, error)
  })
  const meant = COMPONENTS.filter((component) => names.some((name) => name.startsWith(`${component}.`)))
  if (meant.length === 0) throw new NotApplicable(`no part of the control plane has a manifest in ${folder}`)
  return meant
}

interface Bounds {
  readonly signal: AbortSignal
  readonly withinMs: number
}

async function ask(
  host: Host,
  component: Exclude<Component, 'etcd'>,
  found: HostProcess | undefined,
  bounds: Bounds,
): Promise<Service> {
  const { port, paths } = ASKED[component]
  const { id, words } = found ?? { id: undefined, words: [] }
  const address = flagOf(words, 'bind-address') ?? '0.0.0.0'
  const reached = ['0.0.0.0', '::', ''].includes(address) ? '127.0.0.1' : address
  const at = reached.includes(':') ? `[${reached}]` : reached
  const url = `https://${at}:${flagOf(words, 'secure-port') ?? port}`
  // They sign certificates of their own, or have one for other names than this address; nothing secret is sent.
  const options = { ...bounds, tls: { anyServer: at === '127.0.0.1' || at === '[::1]' } }
  const answers = id === undefined ? [] : await Promise.all(paths.map((path) => answerOf(host, url, path, options)))
  return { component, id, url, answers }
}

/** Its own detectors say what it is that etcd lacks; here it is only whether it runs and answers. */
async function askEtcd(host: Host, found: HostProcess | undefined, bounds: Bounds): Promise<Service> {
  const etcd = await etcdOf(host, found, {})
  const { id, metricsUrl: url } = etcd
  const answers = id === undefined ? [] : [await answerOf(host, url, '/health', await asking(host, etcd, url, bounds))]
  return { component: 'etcd', id, url, answers }
}

async function answerOf(host: Host, url: string, path: string, options: CallOptions): Promise<Answer> {
  try {
    const { status, body } = await host.get(url + path, options)
    return { path, status, failed: failedChecks(body) }
  } catch (error) {
    if (error instanceof Unreachable) return { path, unreachable: error.code }
    throw error
  }
}

function judgeService(
  { component, id, url, answers }: Service,
  processes: number,
): readonly Judgement<ServiceReason>[] {
  const judgement = (reason: ServiceReason, summary: string, state: string) => ({
    reason,
    cause: component,
    summary,
    evidence: [{ name: component, value: state, limit: '200', unit: '' }],
  })
  if (id === undefined) {
    const summary = `${component} is meant to run here, and none of ${processes} processes is it`
    return [judgement('ControlPlaneServiceDown', summary, 'no process')]
  }
  const mute = answers.find(({ unreachable }) => unreachable !== undefined)
  if (mute !== undefined) {
    const why =
      mute.unreachable === 'ETIMEDOUT'
        ? 'takes the question and does not answer'
        : `does not answer: ${mute.unreachable}`
    return [
      judgement(
        'ControlPlaneServiceDown',
        `${component}, process ${id}, ${why} at ${url}${mute.path}`,
        mute.unreachable ?? '',
      ),
    ]
  }
  // That it does not let strangers ask, as with --anonymous-auth=false, is an answer: it is there, and no more is known.
  const bad = answers.find(({ status = 0 }) => ![200, 401, 403].includes(status))
  if (bad === undefined) return []
  const { path, status = 0, failed = [] } = bad
  const checks = failed.length === 0 ? '' : `, failed: ${failed.join(', ')}`
  const reason = path === READY ? 'ControlPlaneServiceNotReady' : 'ControlPlaneServiceUnhealthy'
  return [judgement(reason, `${component}, process ${id}, answers ${status} at ${url}${path}${checks}`, String(status))]
}
