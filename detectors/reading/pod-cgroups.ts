/** The pods that run, as the kernel has them: their control groups below the kubelet's, of either cgroup driver. */
import { type Host, NotApplicable } from '../contract.ts'
import { podUidIn } from './cadvisor-figures.ts'
import { type CgroupTree, textIfThere } from './cgroups.ts'

/** Of the kubelet's cgroupfs driver, of its systemd driver, and of kind. */
export const POD_ROOTS = ['/kubepods', '/kubepods.slice', '/kubelet.slice/kubelet-kubepods.slice']

/** The kubelet's default is 110 pods a node; clouds go up to 500. */
const PODS_MAX = 1_000

export interface PodCgroup {
  /** Its uid without dashes. */
  readonly uid: string
  /** From the root of cgroupfs. */
  readonly group: string
  /** The groups of its containers, and of its sandbox. */
  readonly containers: readonly string[]
}

/** All of them, running or not. */
export async function podCgroups(
  host: Host,
  tree: CgroupTree,
  roots: readonly string[],
): Promise<readonly PodCgroup[]> {
  const pods: PodCgroup[] = []
  for (const root of roots) {
    const parts = await groupsIn(host, tree, root)
    // Pods with requests equal to their limits lie beside the groups of the two other classes.
    const classes = parts.filter((group) => /burstable|besteffort/.test(nameOf(group)) && podUidIn(group) === undefined)
    for (const folder of classes) parts.push(...(await groupsIn(host, tree, folder)))
    for (const group of parts) {
      const uid = podUidIn(group)
      if (uid === undefined || pods.length >= PODS_MAX) continue
      pods.push({ uid, group, containers: await groupsIn(host, tree, group) })
    }
  }
  return pods
}

/**
 * Whether containers of it run that cadvisor tells of. A sandbox alone, as while an image is pulled, is not told of; its group
 * looks like a container's, so of containerd and Docker two must be alive. CRI-O has no process in a sandbox as a rule.
 */
export async function hasRunningContainer(host: Host, tree: CgroupTree, pod: PodCgroup): Promise<boolean> {
  const real = pod.containers.filter((group) => !/crio-conmon-/.test(group))
  const needed = real.some((group) => /\/crio-/.test(group)) ? 1 : 2
  let alive = 0
  for (const group of real) {
    if (await isAlive(host, tree, group)) alive += 1
    if (alive >= needed) return true
  }
  return false
}

async function isAlive(host: Host, tree: CgroupTree, group: string): Promise<boolean> {
  if (tree.version === 1) return /\d/.test((await textIfThere(host, `${tree.cpu}${group}/cgroup.procs`)) ?? '')
  return /^populated 1$/m.test((await textIfThere(host, `${tree.cpu}${group}/cgroup.events`)) ?? '')
}

/** Groups stand among files of the kernel; those of pods and containers are told by their names. */
async function groupsIn(host: Host, tree: CgroupTree, group: string): Promise<string[]> {
  try {
    const names = await host.list(tree.cpu + group)
    return names.filter((name) => GROUP_NAME.test(name)).map((name) => `${group}/${name}`)
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

const GROUP_NAME = /^(?:pod.+|burstable|besteffort|crio-.+|[0-9a-f]{64}|.+\.slice|.+\.scope)$/

const nameOf = (group: string) => group.slice(group.lastIndexOf('/') + 1)
