/** What cadvisor says of control groups against what the kernel says of them. */
import type { Host } from '../contract.ts'
import type { ContainerFigures } from './cadvisor-figures.ts'
import { type CgroupTree, cgroupCpuSeconds, cgroupMemory, isGone } from './cgroups.ts'
import type { PodCgroup } from './pod-cgroups.ts'

/** Three files each, every look. A cadvisor that is wrong is wrong of most. */
const GROUPS_MAX = 32

export interface Compared {
  readonly group: string
  readonly atMs: number
  readonly said: { readonly cpuSeconds?: number; readonly memoryBytes?: number }
  /** Read after cadvisor was asked. */
  readonly kernel: { readonly cpuSeconds: number; readonly memoryBytes: number }
}

/** Pods first. Groups that are gone by now, and figures without a time, are left out. */
export async function compare(
  host: Host,
  tree: CgroupTree,
  figures: readonly ContainerFigures[],
  pods: readonly PodCgroup[],
): Promise<readonly Compared[]> {
  const groupOfPod = new Map(pods.map(({ uid, group }) => [`pod${uid}`, group]))
  const known = figures.flatMap((figure) => {
    const group = groupOfPod.get(figure.id.replaceAll('-', '')) ?? figure.id
    return group.startsWith('/') && group !== '/' && !group.includes('..') ? [{ ...figure, group }] : []
  })
  const podGroups = new Set(groupOfPod.values())
  const ordered = known.toSorted((a, b) => Number(podGroups.has(b.group)) - Number(podGroups.has(a.group)))
  const compared: Compared[] = []
  for (const { group, atMs, cpuSeconds, memoryBytes } of ordered.slice(0, GROUPS_MAX)) {
    if (atMs === undefined) continue
    const kernel = await kernelFigures(host, tree, group)
    if (kernel === undefined) continue
    const said = {
      ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
      ...(memoryBytes === undefined ? {} : { memoryBytes }),
    }
    compared.push({ group, atMs, said, kernel })
  }
  return compared
}

async function kernelFigures(host: Host, tree: CgroupTree, group: string) {
  try {
    const memory = await cgroupMemory(host, tree, group)
    return { cpuSeconds: await cgroupCpuSeconds(host, tree, group), memoryBytes: memory.bytes }
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

export interface Tolerance {
  readonly processors: number
  readonly memoryRatio: number
  readonly memoryBytes: number
}

/** Waits between cadvisor's reading and its stamp, and of the kernel's own per-processor counters. */
const CPU_SLACK_SECONDS = 2

/**
 * In words, or undefined when they agree. The kernel's counter only grows, and by no more than all processors could do since
 * cadvisor looked; memory comes and goes, so that it has a tolerance.
 */
export function disagreement(
  { atMs, said, kernel }: Compared,
  nowMs: number,
  tolerance: Tolerance,
): string | undefined {
  const { cpuSeconds, memoryBytes } = said
  if (cpuSeconds !== undefined) {
    const most = tolerance.processors * Math.max(0, (nowMs - atMs) / 1_000) + CPU_SLACK_SECONDS
    const more = kernel.cpuSeconds - cpuSeconds
    if (more > most || more < -CPU_SLACK_SECONDS)
      return `processor time: ${cpuSeconds.toFixed(1)} s, the kernel says ${kernel.cpuSeconds.toFixed(1)} s`
  }
  if (memoryBytes !== undefined) {
    const apart = Math.abs(kernel.memoryBytes - memoryBytes)
    const most = Math.max(tolerance.memoryBytes, tolerance.memoryRatio * Math.max(kernel.memoryBytes, memoryBytes))
    if (apart > most)
      return `memory: ${mebibytes(memoryBytes)} MiB, the kernel says ${mebibytes(kernel.memoryBytes)} MiB`
  }
  return undefined
}

const mebibytes = (bytes: number) => Math.floor(bytes / 1_048_576)
