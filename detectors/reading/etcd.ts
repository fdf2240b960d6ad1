/**
 * The etcd member of a host: whether there is meant to be one, which process it is, and where it answers, as its own command
 * line and environment say.
 */
import { z } from 'zod'
import { type CallOptions, type Host, type HostProcess, NotApplicable, type TlsOptions } from '../contract.ts'
import { answerTimeout } from './answer-timeout.ts'
import { flagOf } from './flags.ts'
import { withheld } from './privilege.ts'
import { processStatusOf } from './processes.ts'

/** The static pod of kubeadm; the settings of Kubespray's service. */
const SIGNS = ['/etc/kubernetes/manifests/etcd.yaml', '/etc/etcd.env']
/** etcd's own default (listen-client-urls). */
const STANDARD_URL = 'http://127.0.0.1:2379'

const pem = (what: string) =>
  z
    .string()
    .startsWith('/', 'must be an absolute path')
    .optional()
    .describe(`A PEM file: ${what}; without it the one that etcd's own flags name.`)

/** What detectors of etcd have in common. */
export const etcdOptions = {
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Where clients reach this member; without it where etcd says by its flags. Given, there must be a member here.',
    ),
  ca: pem('who signs the certificate of etcd'),
  cert: pem('a certificate that etcd takes from clients'),
  key: pem('the key of that certificate'),
  timeout: answerTimeout('5s', '6s'),
}

/** What a detector of etcd touches. */
export const etcdTouches = { paths: ['/**'], services: ['http://*', 'https://*'] }

export interface EtcdOptions {
  readonly endpoint?: string | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

export interface Etcd {
  /** Of its process; undefined when there is meant to be one and none runs. */
  readonly id: string | undefined
  /** Where clients reach it. */
  readonly clientUrl: string
  /** Where it serves metrics and its health, which may be to anyone on the host. */
  readonly metricsUrl: string
  readonly tls: TlsOptions
}

/**
 * Where nothing says that an etcd should run, all processes are gone through at one look in so many: most hosts have thousands
 * of them and no etcd, and to read one takes 0.1 ms of a processor. One that is started there later is found within 10 min.
 */
const SEARCHED_EACH = 40
/** Looks since that found none. */
const looksSince = new WeakMap<Host, number>()

/** Throws NotApplicable where there is no etcd and none is meant to be, an Error when processes that may be it cannot be seen. */
export async function findEtcd(host: Host, options: EtcdOptions, signal: AbortSignal): Promise<Etcd> {
  const { isThere, unseen } = await lookForSign(host)
  const isMeant = options.endpoint !== undefined || isThere
  const looks = looksSince.get(host) ?? 0
  const found = isMeant || looks === 0 ? await processOf(host, isMeant, signal) : undefined
  looksSince.set(host, isMeant || found !== undefined ? 0 : (looks + 1) % SEARCHED_EACH)
  if (found === undefined && !isMeant) {
    if (unseen !== undefined) throw await withheld(host, 'see whether an etcd should run here', unseen)
    throw new NotApplicable('no etcd runs here, and nothing says that one should')
  }
  return etcdOf(host, found, options)
}

/** The member that is process `found`, or should be. */
export async function etcdOf(host: Host, found: HostProcess | undefined, options: EtcdOptions): Promise<Etcd> {
  const { id, words } = found ?? { id: undefined, words: [] }
  const environment = id === undefined ? [] : await host.readWords(`/proc/${id}/environ`).catch(() => [])
  const setting = (name: string) => {
    const variable = `ETCD_${name.replaceAll('-', '_').toUpperCase()}=`
    return flagOf(words, name) ?? environment.find((entry) => entry.startsWith(variable))?.slice(variable.length)
  }
  const clientUrl = origin(options.endpoint) ?? nearest(setting('listen-client-urls')) ?? STANDARD_URL
  const ca = options.ca ?? setting('trusted-ca-file')
  const cert = options.cert ?? setting('cert-file')
  const key = options.key ?? setting('key-file')
  return {
    id,
    clientUrl,
    metricsUrl: (options.endpoint === undefined ? nearest(setting('listen-metrics-urls')) : undefined) ?? clientUrl,
    tls: {
      ...(ca === undefined ? { anyServer: /^https:\/\/(127\.0\.0\.1|\[::1\])(:|$)/.test(clientUrl) } : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  }
}

/** How to ask this member at `url`. Throws NotApplicable when the key for it may not be read for want of a privilege. */
export async function asking(host: Host, { tls }: Etcd, url: string, bounds: CallOptions): Promise<CallOptions> {
  if (!url.startsWith('https:')) return bounds
  if (tls.key !== undefined) await requireReadable(host, tls.key)
  return { ...bounds, tls }
}

async function requireReadable(host: Host, path: string): Promise<void> {
  try {
    await host.readText(path)
  } catch (error) {
    throw await withheld(host, `read ${path}, or metrics that are open`, error)
  }
}

/** kubeadm keeps the folder of manifests to root; what cannot be seen is not there for sure, and not absent either. */
async function lookForSign(host: Host): Promise<{ isThere: boolean; unseen?: unknown }> {
  let unseen: unknown
  for (const path of SIGNS) {
    try {
      if (await host.exists(path)) return { isThere: true }
    } catch (error) {
      unseen ??= error
    }
  }
  return { isThere: false, unseen }
}

/** One in a container counts where a static pod is meant to run one; elsewhere it is some application's own. */
async function processOf(host: Host, isMeant: boolean, signal: AbortSignal): Promise<HostProcess | undefined> {
  // Most hosts have none, and three detectors ask: a table that others read a moment ago will do where nothing speaks of one.
  const { processes, unseen } = await host.processes(isMeant ? 'now' : 'lately')
  for (const one of processes.filter(({ words: [program = ''] }) => /(^|\/)etcd$/.test(program))) {
    signal.throwIfAborted()
    const status = await processStatusOf(host, one.id)
    if (status !== undefined && (isMeant || !status.isContained)) return one
  }
  if (unseen !== undefined) throw unseen
  return undefined
}

/** Of the URLs that a member listens on, one of the loopback interface if there is one. */
function nearest(urls: string | undefined): string | undefined {
  const all = (urls ?? '').split(',').flatMap((url) => origin(url.trim()) ?? [])
  return all.find((url) => /\/\/(127\.|\[::1\]|localhost)/.test(url)) ?? all[0]
}

/** `http://127.0.0.1:2379` of such a URL, where every address is the loopback interface too. */
function origin(url: string | undefined): string | undefined {
  const parts = /^(https?):\/\/(\[[\da-f:]+\]|[\w.-]+):(\d+)\/?$/i.exec(url ?? '')
  if (parts === null) return undefined
  const [, scheme = '', host = '', port = ''] = parts
  const reached = ['0.0.0.0', '[::]', 'localhost'].includes(host) ? '127.0.0.1' : host
  return `${scheme}://${reached}:${port}`
}
