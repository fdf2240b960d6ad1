/** Who else on a node sets kernel parameters. Two writers of one value take turns, so the other's setting is the place. */
import type { Host } from '../../detectors/contract.ts'
import { flagOf } from '../../detectors/reading/flags.ts'

export interface Owner {
  readonly who: 'the kubelet' | 'kube-proxy'
  /** Where it takes the value from. */
  readonly setting: string
}

/**
 * Set when the kubelet starts, or, with --protect-kernel-defaults, held against: it does not start when they differ
 * (setupKernelTunables of its pkg/kubelet/cm). The values are fixed in it.
 */
const OF_KUBELET = /^(?:vm\.overcommit_memory|vm\.panic_on_oom|kernel\.panic|kernel\.panic_on_oops|kernel\.keys\..+)$/

/** Set when kube-proxy starts, from its configuration (KubeProxyConntrackConfiguration), by the names of its fields. */
const OF_KUBE_PROXY: Readonly<Record<string, string>> = {
  'net.netfilter.nf_conntrack_max':
    'conntrack.maxPerCore and conntrack.min (--conntrack-max-per-core, --conntrack-min)',
  // A quarter of the former, when it is less.
  'net.netfilter.nf_conntrack_buckets':
    'conntrack.maxPerCore and conntrack.min (--conntrack-max-per-core, --conntrack-min)',
  'net.netfilter.nf_conntrack_tcp_timeout_established':
    'conntrack.tcpEstablishedTimeout (--conntrack-tcp-timeout-established)',
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait':
    'conntrack.tcpCloseWaitTimeout (--conntrack-tcp-timeout-close-wait)',
  'net.netfilter.nf_conntrack_tcp_be_liberal': 'conntrack.tcpBeLiberal (--conntrack-tcp-be-liberal)',
  'net.netfilter.nf_conntrack_udp_timeout': 'conntrack.udpTimeout (--conntrack-udp-timeout)',
  'net.netfilter.nf_conntrack_udp_timeout_stream': 'conntrack.udpStreamTimeout (--conntrack-udp-timeout-stream)',
}

/** Whoever sets `key` where it runs; undefined when nobody is known to. */
export function ownerOf(key: string): Owner | undefined {
  if (OF_KUBELET.test(key)) return { who: 'the kubelet', setting: '--protect-kernel-defaults' }
  const setting = Object.hasOwn(OF_KUBE_PROXY, key) ? OF_KUBE_PROXY[key] : undefined
  return setting === undefined ? undefined : { who: 'kube-proxy', setting }
}

/**
 * Throws an Error that names the owner and its setting when one of `keys` is the kubelet's, or that of a kube-proxy that runs
 * here; also when the processes of the host cannot be seen.
 */
export async function refuseOwned(host: Host, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const owner = ownerOf(key)
    if (owner === undefined || (owner.who === 'kube-proxy' && !(await isSetByKubeProxy(host, key)))) continue
    throw new Error(`${key} belongs to ${owner.who}: change ${owner.setting} there, or set allowOwned`)
  }
}

async function isSetByKubeProxy(host: Host, key: string): Promise<boolean> {
  const { processes, unseen } = await host.processes('lately')
  const proxies = processes.filter(({ words }) => runsKubeProxy(words))
  if (proxies.length === 0 && unseen !== undefined) throw unseen
  // 0 stands for: leave the table as it is. In a configuration file it cannot be seen from here.
  const leaves = (words: readonly string[]) =>
    /_(?:max|buckets)$/.test(key) && flagOf(words, 'conntrack-max-per-core') === '0'
  return proxies.some(({ words }) => !leaves(words))
}

/** A program of its own, or part of k3s, whose command line is one word with blanks in it. */
function runsKubeProxy(words: readonly string[]): boolean {
  const program = words[0]?.split(' ')[0]?.split('/').at(-1)
  return program === 'kube-proxy' || (program === 'k3s' && !words.includes('--disable-kube-proxy'))
}
