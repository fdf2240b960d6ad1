/** The local disks of a host, as its mount table shows them. */
import type { Host } from '../contract.ts'
import { type Mount, parseMounts } from './mounts.ts'

/** In a pod `self` would be the agent's own mounts. With hidepid the table of process 1 cannot be seen; then it must do. */
export const MOUNT_TABLES = ['/proc/1/mounts', '/proc/self/mounts'] as const

/** A full volume of a pod is the business of whoever runs that pod: the kubelet evicts nobody for it. */
export const OF_PODS = ['/var/lib/kubelet/pods/*', '/var/lib/kubelet/plugins/*']

export async function readMounts(host: Host): Promise<{ mounts: readonly Mount[]; isOfHost: boolean }> {
  const [ofHost, ofAgent] = MOUNT_TABLES
  try {
    return { mounts: parseMounts(await host.readText(ofHost)), isOfHost: true }
  } catch {
    return { mounts: parseMounts(await host.readText(ofAgent)), isOfHost: false }
  }
}

/** Whether `mountPoint` is one of these; with `/*` at the end, all below. */
export function isIgnored(mountPoint: string, ignore: readonly string[]): boolean {
  return ignore.some((entry) =>
    entry.endsWith('/*') ? mountPoint.startsWith(entry.slice(0, -1)) : mountPoint === entry,
  )
}
