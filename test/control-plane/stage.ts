/**
 * The one control plane of all files of this suite, which share a process: whoever asks first starts it, and it ends with
 * the process. A test leaves it as it was: nodes Ready, no pods, nothing cut off.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { Cluster } from '../../bench/control-plane/cluster.ts'
import { CONTROL_PLANE, ControlPlane, type NodeLifecycle } from '../../bench/control-plane/control-plane.ts'
import { AGGREGATOR_ACCOUNT, manifest, NAMESPACE, ROLES } from '../../bench/control-plane/manifests.ts'
import { missingForNodes } from '../../bench/control-plane/programs.ts'
import { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { Network } from '../../bench/namespaces/network.ts'

export const NODES = 6
/** Only the first runs, but for tests of several; the third is for what takes minutes. */
const AGGREGATORS = process.env.STARLING_LEADERS === 'long' ? 3 : 2
/** Two waits, each with its own generous deadline. */
export const WITHIN_MS = 600_000

/** Half of what Kubernetes ships, and twice what a kubelet needs to renew its Lease on a busy machine. */
const LIFECYCLE: NodeLifecycle = { graceSeconds: 20, periodSeconds: 1 }

export interface Plane {
  readonly plane: ControlPlane
  readonly cluster: Cluster
}

let stage: Promise<ControlPlaneStage> | undefined
let alone: Promise<Plane> | undefined

export function theStage(): Promise<ControlPlaneStage> {
  stage ??= startStage()
  return stage
}

/** Stops all aggregators but the first, and resolves when that one leads. */
export async function leaveFirst({ mesh, cluster }: ControlPlaneStage): Promise<void> {
  const [first, ...others] = mesh.aggregators
  for (const { process } of others) await process.stop()
  await cluster.until('the first aggregator leads', () => first.client.state())
}

/** For tests of the API alone, which also run where there are no programs for nodes. */
export function thePlane(): Promise<Plane> {
  if (missingForNodes() === undefined) return theStage()
  alone ??= startAlone()
  return alone
}

/** A kubeconfig with the token of a service account, for this side of the network. */
export async function accountOutside({ plane }: Plane, name = AGGREGATOR_ACCOUNT): Promise<string> {
  const admin = parse(readFileSync(await plane.kubeconfigOutside(), 'utf8'))
  const account = parse(readFileSync(await plane.kubeconfigOfAccount(NAMESPACE, name), 'utf8'))
  const file = join(plane.network.dir, `${name}-outside.kubeconfig`)
  writeFileSync(file, stringify({ ...admin, users: account.users }), { mode: 0o600 })
  return file
}

async function startStage(): Promise<ControlPlaneStage> {
  const options = { nodes: NODES, aggregators: AGGREGATORS, lifecycle: LIFECYCLE, kubernetes: {} }
  const started = await ControlPlaneStage.start(options)
  await leaveFirst(started)
  return started
}

async function startAlone(): Promise<Plane> {
  const plane = await ControlPlane.start(new Network([CONTROL_PLANE]))
  const cluster = new Cluster(plane)
  await cluster.apply(manifest('namespace'), ...ROLES.map(manifest))
  return { plane, cluster }
}
