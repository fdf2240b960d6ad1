/**
 * A Kubernetes control plane on a machine of its own: etcd, API server, controller manager. It has no scheduler, so pods
 * say their node themselves. Ends with its network.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Gate, openGate } from '../namespaces/gate.ts'
import type { Machine, Network } from '../namespaces/network.ts'
import { lookUntil } from '../whole.ts'
import { type Certificate, CertificateAuthority, type Holder, writeTokenKey } from './certificates.ts'
import { Daemon } from './daemon.ts'
import { type Credentials, writeKubeconfig } from './kubeconfig.ts'
import { programFile } from './programs.ts'
import { ApiRequests } from './requests.ts'

export const CONTROL_PLANE: Machine = { name: 'control-plane', address: '10.77.0.254' }

export const API_PORT = 6443
const SERVER = `https://${CONTROL_PLANE.address}:${API_PORT}`
const ETCD_URL = 'http://127.0.0.1:2379'
const MASTERS = 'system:masters'
/** Longer than any run. */
const TOKEN_SECONDS = 86_400

/** Of the controller manager, in whole seconds. */
export interface NodeLifecycle {
  /** How long a node's Lease and status may be old before its Ready becomes Unknown. Kubelets renew every 10 s. */
  readonly graceSeconds: number
  /** How often it looks. */
  readonly periodSeconds: number
}

/** As Kubernetes ships it, up to version 1.31. */
export const STOCK_LIFECYCLE: NodeLifecycle = { graceSeconds: 40, periodSeconds: 5 }

export class ControlPlane {
  readonly network: Network
  readonly etcd: Daemon
  readonly apiServer: Daemon
  readonly controllerManager: Daemon
  /** Requests of an administrator. */
  readonly admin: ApiRequests
  readonly #authority: CertificateAuthority
  readonly #gate: Gate
  readonly #dir: string
  readonly #commands: Commands

  private constructor(network: Network, dir: string, authority: CertificateAuthority, gate: Gate, commands: Commands) {
    const daemon = (name: string, command: readonly string[]) =>
      new Daemon(name, [...network.on(CONTROL_PLANE.name), ...command], join(dir, `${name}.log`))
    this.network = network
    this.etcd = daemon('etcd', commands.etcd)
    this.apiServer = daemon('kube-apiserver', commands.apiServer)
    this.controllerManager = daemon('kube-controller-manager', commands.controllerManager)
    this.admin = new ApiRequests(gate.port, authority.certFile, commands.admin)
    this.#authority = authority
    this.#gate = gate
    this.#dir = dir
    this.#commands = commands
  }

  /**
   * Resolves when the API server is ready. `network` has the machine CONTROL_PLANE, and ends what was started when this
   * rejects. Without `lifecycle` there is no controller manager: nothing but the API, where no node is needed.
   */
  static async start(network: Network, lifecycle?: NodeLifecycle): Promise<ControlPlane> {
    const dir = join(network.dir, CONTROL_PLANE.name)
    mkdirSync(dir, { mode: 0o700 })
    const authority = await CertificateAuthority.create(join(dir, 'certificates'))
    const commands = await commandsOf(dir, authority, lifecycle ?? STOCK_LIFECYCLE)
    const gate = await openGate(network.on(CONTROL_PLANE.name), API_PORT)
    const plane = new ControlPlane(network, dir, authority, gate, commands)
    plane.etcd.start()
    plane.apiServer.start()
    await plane.untilReady()
    if (lifecycle !== undefined) plane.controllerManager.start()
    return plane
  }

  /** The API server answers that it is ready, which includes etcd. Throws StarlingError with the last words of both. */
  async untilReady(): Promise<void> {
    const describe = () => [this.etcd, this.apiServer].map((daemon) => daemon.lastWords()).join('\n')
    await lookUntil(
      'the API server is ready',
      async () => (await this.admin.ask('GET', '/readyz')).status === 200,
      describe,
    )
  }

  /** A kubeconfig file for a user with a certificate. */
  async kubeconfigOf(holder: Holder): Promise<string> {
    return this.#kubeconfig(holder.name, await this.#authority.issue(holder))
  }

  /** A kubeconfig file for a service account, with a token of its own. */
  async kubeconfigOfAccount(namespace: string, account: string): Promise<string> {
    return this.#kubeconfig(account, { token: await this.#tokenOf(namespace, account) })
  }

  /** Requests of a service account, so many at once. */
  async requestsOf(namespace: string, account: string, atOnce?: number): Promise<ApiRequests> {
    const token = await this.#tokenOf(namespace, account)
    return new ApiRequests(this.#gate.port, this.#authority.certFile, { token }, atOnce)
  }

  /** For programs on this side of the network, such as kubectl: an administrator's. */
  kubeconfigOutside(): string {
    const file = join(this.#dir, 'outside.kubeconfig')
    return writeKubeconfig(file, `https://127.0.0.1:${this.#gate.port}`, this.#authority.certFile, this.#commands.admin)
  }

  /** For what stands in the API server's place: its certificate, and its port on 127.0.0.1 of this side. */
  get front(): { readonly port: number; readonly caFile: string; readonly certificate: Certificate } {
    return { port: this.#gate.port, caFile: this.#authority.certFile, certificate: this.#commands.server }
  }

  /** Closes what this process holds; the programs end with the network. */
  close(): void {
    this.admin.close()
    this.#gate.close()
  }

  async #tokenOf(namespace: string, account: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
    const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }
    const granted = await this.admin.create<{ status: { token: string } }>(path, {
      ...request,
      spec: { expirationSeconds: TOKEN_SECONDS },
    })
    return granted.status.token
  }

  #kubeconfig(user: string, credentials: Credentials): string {
    const file = join(this.#dir, `${user.replaceAll(':', '-')}.kubeconfig`)
    return writeKubeconfig(file, SERVER, this.#authority.certFile, credentials)
  }
}

interface Commands {
  readonly etcd: readonly string[]
  readonly apiServer: readonly string[]
  readonly controllerManager: readonly string[]
  readonly admin: Certificate
  /** Of the API server. */
  readonly server: Certificate
}

async function commandsOf(dir: string, authority: CertificateAuthority, lifecycle: NodeLifecycle): Promise<Commands> {
  const [server, admin, manager] = await Promise.all([
    authority.issue({ name: 'kube-apiserver', addresses: [CONTROL_PLANE.address, '127.0.0.1'] }),
    authority.issue({ name: 'admin', organisation: MASTERS }),
    authority.issue({ name: 'kube-controller-manager', organisation: MASTERS }),
  ])
  const tokenKey = writeTokenKey(authority.dir)
  const managerConfig = writeKubeconfig(
    join(dir, 'kube-controller-manager.kubeconfig'),
    SERVER,
    authority.certFile,
    manager,
  )
  const etcd = [
    programFile('etcd'),
    ...[`--data-dir=${join(dir, 'etcd')}`, `--listen-client-urls=${ETCD_URL}`, `--advertise-client-urls=${ETCD_URL}`],
    '--listen-peer-urls=http://127.0.0.1:2380',
  ]
  const apiServer = [
    programFile('kube-apiserver'),
    ...['--bind-address=0.0.0.0', `--advertise-address=${CONTROL_PLANE.address}`, `--secure-port=${API_PORT}`],
    ...[`--etcd-servers=${ETCD_URL}`, '--service-cluster-ip-range=10.0.0.0/24'],
    ...[`--client-ca-file=${authority.certFile}`, `--tls-cert-file=${server.certFile}`],
    ...[`--tls-private-key-file=${server.keyFile}`, `--service-account-key-file=${tokenKey}`],
    ...[`--service-account-signing-key-file=${tokenKey}`, `--service-account-issuer=${SERVER}`],
    ...['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
  ]
  const controllerManager = [
    programFile('kube-controller-manager'),
    ...[`--kubeconfig=${managerConfig}`, '--leader-elect=false', `--cert-dir=${join(dir, 'manager')}`],
    ...[`--service-account-private-key-file=${tokenKey}`, `--root-ca-file=${authority.certFile}`],
    ...[`--node-monitor-grace-period=${lifecycle.graceSeconds}s`, `--node-monitor-period=${lifecycle.periodSeconds}s`],
  ]
  return { etcd, apiServer, controllerManager, admin, server }
}
