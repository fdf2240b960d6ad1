/** What is mounted, with the flags of the mount and those of its filesystem told apart: /proc/PID/mountinfo. */
import type { Host } from '../contract.ts'
import { unescapeMount } from './mounts.ts'

/** In a pod `self` would be the agent's own mounts. With hidepid the table of process 1 cannot be seen; then it must do. */
export const MOUNTINFO_TABLES = ['/proc/1/mountinfo', '/proc/self/mountinfo'] as const

/** One line of proc_pid_mountinfo(5). */
export interface MountInfo {
  /** `8:1`; of filesystems without a device of their own, such as btrfs and NFS, a made-up one. */
  readonly deviceNumber: string
  /** The folder of the filesystem that is mounted: `/` but for bind mounts and subvolumes. */
  readonly root: string
  readonly mountPoint: string
  /** `ro`, `nosuid` and so on, of this mount alone. */
  readonly flags: readonly string[]
  readonly type: string
  readonly source: string
  /** Of the filesystem, wherever it is mounted. */
  readonly superOptions: readonly string[]
}

/** In the order of mounting. Throws NotApplicable when there is no such table. */
export async function readMountInfo(host: Host): Promise<readonly MountInfo[]> {
  const [ofHost, ofAgent] = MOUNTINFO_TABLES
  const text = await host.readText(ofHost).catch(() => host.readText(ofAgent))
  const mounts = parseMountInfo(text)
  if (mounts.length === 0) throw new Error(`${ofHost} does not name any mount`)
  return mounts
}

/** Lines that are not of the format are passed over. */
export function parseMountInfo(text: string): readonly MountInfo[] {
  return text.split('\n').flatMap((line) => {
    const [ofMount, ofFilesystem] = line.split(' - ')
    const [, , deviceNumber, root, mountPoint, flags] = ofMount?.split(' ') ?? []
    const [type, source, superOptions] = ofFilesystem?.split(' ') ?? []
    if (deviceNumber === undefined || root === undefined || mountPoint === undefined || flags === undefined) return []
    if (type === undefined || source === undefined || !mountPoint.startsWith('/')) return []
    return {
      deviceNumber,
      root: unescapeMount(root),
      mountPoint: unescapeMount(mountPoint),
      flags: flags.split(','),
      type,
      source: unescapeMount(source),
      superOptions: superOptions?.split(',') ?? [],
    }
  })
}

/** Of several mounts on one point only the last can be seen. */
export function visibleMounts(mounts: readonly MountInfo[]): ReadonlyMap<string, MountInfo> {
  return new Map(mounts.map((mount) => [mount.mountPoint, mount]))
}

/** Whether writing to it fails with EROFS: the mount is read-only, or the filesystem is. */
export function isReadOnly({ flags, superOptions }: MountInfo): boolean {
  return flags.includes('ro') || superOptions.includes('ro')
}
