/** The host's local disk filesystems, from its mount table. */

export interface Mount {
  readonly device: string
  readonly mountPoint: string
  readonly type: string
  readonly readOnly: boolean
}

/**
 * Filesystems that keep files on a local disk. A list of what counts, for most of what is mounted does not:
 * - proc, sysfs, cgroup2, devpts, mqueue, bpf, tracefs, securityfs, pstore … are the kernel's own tables;
 * - tmpfs, devtmpfs, ramfs, hugetlbfs lie in memory, which is another detector's business;
 * - squashfs, erofs, iso9660 are images: always 100 % full, and nothing writes to them;
 * - overlay is a container's view of a filesystem that is already in the table (but see `isLocalDisk`);
 * - nfs, cifs, ceph, fuse.* answer statfs by asking a server. While that is down the call cannot be interrupted, and
 *   each look would lose the agent one of its few I/O threads.
 */
const DISK_TYPES: ReadonlySet<string> = new Set([
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'f2fs',
  'bcachefs',
  'jfs',
  'reiserfs',
  'vfat',
  'exfat',
  'ntfs3',
])

/** Parses the format of /proc/PID/mounts, fstab(5). Lines that are not of it are passed over. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [device, mountPoint, type, options] = line.split(' ')
    if (device === undefined || mountPoint === undefined || type === undefined || options === undefined) return []
    const point = unescapeMount(mountPoint)
    if (!point.startsWith('/')) return []
    return { device: unescapeMount(device), mountPoint: point, type, readOnly: options.split(',').includes('ro') }
  })
}

export function isDiskType(type: string): boolean {
  return DISK_TYPES.has(type)
}

/** What can be written to and so run full. */
export function isLocalDisk({ type, mountPoint, readOnly }: Mount): boolean {
  if (readOnly) return false
  // An agent in a container without the host's mount table sees an overlay as its root; there it is all there is.
  return isDiskType(type) || (type === 'overlay' && mountPoint === '/')
}

/**
 * One mount per filesystem: bind mounts of one device all show the same figures. Kept is the shortest mount point, which
 * is the one that people know it by; of several mounts on one point only the last can be seen.
 */
export function distinctMounts(mounts: readonly Mount[]): readonly Mount[] {
  const visible = [...new Map(mounts.map((mount) => [mount.mountPoint, mount])).values()]
  const byDevice = new Map<string, Mount>()
  for (const mount of visible) {
    const known = byDevice.get(mount.device)
    if (known === undefined || mount.mountPoint.length < known.mountPoint.length) byDevice.set(mount.device, mount)
  }
  return [...byDevice.values()]
}

/** The kernel, and fstab(5), write blank, tab, newline, backslash and `#` as a backslash and three octal digits. */
export function unescapeMount(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
