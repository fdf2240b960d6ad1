/** What an administrator does to a cluster and sees of it: nodes, pods, and who is in a Service's endpoints. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Given, lookUntil } from '../whole.ts'
import type { ControlPlane } from './control-plane.ts'
import { conditionOf, type EndpointSlice, type Endpoints, isReady, type Node, type Pod } from './objects.ts'
import type { ApiRequests } from './requests.ts'

const runFile = promisify(execFile)

/** Where the pods and Services of measurements and tests are. */
const PODS = '/api/v1/namespaces/default/pods'
const SERVICES = '/api/v1/namespaces/default/services'
const ENDPOINTS = '/api/v1/namespaces/default/endpoints'

interface List<T> {
  readonly items: readonly T[]
}

export class Cluster {
  readonly #plane: ControlPlane
  readonly #api: ApiRequests

  constructor(plane: ControlPlane) {
    this.#plane = plane
    this.#api = plane.admin
  }

  node(name: string): Promise<Node> {
    return this.#api.get(`/api/v1/nodes/${name}`)
  }

  async nodes(): Promise<readonly Node[]> {
    return (await this.#api.get<List<Node>>('/api/v1/nodes')).items
  }

  pod(name: string): Promise<Pod> {
    return this.#api.get(`${PODS}/${name}`)
  }

  /** Of one node, or of all. */
  async pods(node?: string): Promise<readonly Pod[]> {
    const query = node === undefined ? '' : `?fieldSelector=spec.nodeName%3D${node}`
    return (await this.#api.get<List<Pod>>(`${PODS}${query}`)).items
  }

  /** The names of the pods that a Service sends to, sorted. */
  async endpoints(service: string): Promise<readonly string[]> {
    const { subsets = [] } = await this.#api.get<Endpoints>(`${ENDPOINTS}/${service}`)
    const addresses = subsets.flatMap((subset) => subset.addresses ?? [])
    return addresses.map(({ targetRef }) => targetRef?.name ?? '').toSorted()
  }

  /**
   * The same by its EndpointSlices. The fake runtime gives all pods one address, and a slice has each address once: with
   * several pods behind a Service this is no evidence.
   */
  async slices(service: string): Promise<readonly string[]> {
    const { preferredVersion } = await this.#api.get<{ preferredVersion: { groupVersion: string } }>(
      '/apis/discovery.k8s.io',
    )
    const query = `?labelSelector=kubernetes.io%2Fservice-name%3D${service}`
    const path = `/apis/${preferredVersion.groupVersion}/namespaces/default/endpointslices${query}`
    const { items } = await this.#api.get<List<EndpointSlice>>(path)
    const ready = items
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions.ready !== false)
    return ready.map(({ targetRef }) => targetRef?.name ?? '').toSorted()
  }

  /**
   * Makes pods (`podOn`) and Services (`serviceOf`), and resolves when those pods are Ready. A kubelet makes about one a
   * second Ready, since kubemark's may ask ten times a second.
   */
  async add(pods: readonly object[], services: readonly object[] = []): Promise<void> {
    await this.until('the namespace has its service account', () =>
      this.#api.get('/api/v1/namespaces/default/serviceaccounts/default'),
    )
    await Promise.all(services.map((service) => this.#api.create(SERVICES, service)))
    const made = await Promise.all(pods.map((pod) => this.#api.create<Pod>(PODS, pod)))
    const uids = new Set(made.map(({ metadata }) => metadata.uid))
    await this.until('the pods are Ready', async () => {
      const ready = (await this.pods()).filter((pod) => uids.has(pod.metadata.uid) && isReady(pod))
      return ready.length === uids.size
    })
  }

  /** Removes pods and Services without asking their kubelets. */
  async remove(pods: readonly string[], services: readonly string[] = []): Promise<void> {
    const paths = [...pods.map((name) => `${PODS}/${name}`), ...services.map((name) => `${SERVICES}/${name}`)]
    await Promise.all(paths.map((path) => this.#api.remove(path)))
  }

  /** The nodes are Ready, and nothing keeps pods off them. */
  async untilReady(nodes: readonly string[]): Promise<void> {
    await this.until(`${nodes.join(', ')} Ready, without taints`, async () => {
      const seen = await this.nodes()
      const good = seen.filter((node) => isReady(node) && (node.spec.taints ?? []).length === 0)
      return nodes.every((name) => good.some(({ metadata }) => metadata.name === name))
    })
  }

  /** As `lookUntil`, with how the cluster was by then. */
  until<T>(what: string, look: () => T | Promise<T>): Promise<Given<T>> {
    return lookUntil(what, look, () => this.describe())
  }

  /** Applies manifests with kubectl, as people do. Rejects with what it said. */
  async apply(...files: readonly string[]): Promise<void> {
    const config = `--kubeconfig=${this.#plane.kubeconfigOutside()}`
    const cache = `--cache-dir=${join(this.#plane.network.dir, 'kubectl')}`
    await runFile('kubectl', [config, cache, 'apply', ...files.flatMap((file) => ['--filename', file])])
  }

  /** What a person would look at when something went wrong. */
  async describe(): Promise<string> {
    const { apiServer, etcd, controllerManager } = this.#plane
    const ended = [apiServer, etcd, controllerManager].filter(({ isRunning }) => !isRunning)
    const nodes = await this.nodes().then(
      (all) => all.map((node) => `${node.metadata.name} ${JSON.stringify(conditionOf(node, 'Ready'))}`),
      (error: unknown) => [`no nodes: ${error}`],
    )
    return [...nodes, ...ended.map((daemon) => daemon.lastWords())].join('\n')
  }
}
