/** In what a mount is otherwise than its entry in /etc/fstab says. Silent where the two cannot be compared. */
import type { FstabEntry } from './fstab.ts'
import { isReadOnly, type MountInfo } from './mountinfo.ts'

interface Known {
  /** `8:1` of the device that the entry names; undefined when it names none, or it cannot be seen. */
  readonly device: string | undefined
  /** All that is mounted, by mount point. */
  readonly visible: ReadonlyMap<string, MountInfo>
  /** Further options to compare. */
  readonly compare: readonly string[]
}

/** Words of mount(8) for all filesystems that set a flag, and those that clear it. */
const FLAGS: readonly (readonly [set: string, clear: string])[] = [
  ['nosuid', 'suid'],
  ['nodev', 'dev'],
  ['noexec', 'exec'],
  ['noatime', 'atime'],
  ['nodiratime', 'diratime'],
  ['nosymfollow', 'symfollow'],
  ['sync', 'async'],
  ['dirsync', ''],
]
/** Words that stand for flags, as mount(8) says; what comes after them counts more. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  user: ['noexec', 'nosuid', 'nodev'],
  users: ['noexec', 'nosuid', 'nodev'],
  owner: ['nosuid', 'nodev'],
  group: ['nosuid', 'nodev'],
}

export function mountDifferences(entry: FstabEntry, mount: MountInfo, known: Known): readonly string[] {
  return [
    ...typeDifference(entry, mount),
    ...sourceDifference(entry, mount, known),
    ...optionDifferences(entry, mount, known.compare),
  ]
}

const isBind = ({ options }: FstabEntry) => options.includes('bind') || options.includes('rbind')

function typeDifference(entry: FstabEntry, { type }: MountInfo): readonly string[] {
  // `none` is what a bind mount has in place of a type, `auto` leaves it to mount(8), which may also try several.
  if (isBind(entry) || entry.type === 'auto' || entry.type === 'none') return []
  const isIt = entry.type.split(',').some((wanted) => isType(wanted, type))
  return isIt ? [] : [`the type is ${type}, not ${entry.type}`]
}

/** A helper of mount(8) may mount under another name: glusterfs as fuse.glusterfs, ntfs-3g as fuseblk. */
function isType(wanted: string, mounted: string): boolean {
  if (wanted === mounted || mounted === `fuse.${wanted}` || mounted === 'fuseblk') return true
  if (mounted === 'fuse') return wanted.startsWith('fuse.')
  const families = [
    ['nfs', 'nfs4'],
    ['cifs', 'smb3'],
    ['ntfs', 'ntfs3'],
  ]
  return families.some((family) => family.includes(wanted) && family.includes(mounted))
}

function sourceDifference(entry: FstabEntry, mount: MountInfo, { device, visible }: Known): readonly string[] {
  if (isBind(entry)) {
    const origin = originOf(entry.spec, visible)
    if (origin === undefined || (origin.root === mount.root && origin.deviceNumber === mount.deviceNumber)) return []
    return [`it is ${mount.root} of ${mount.source}, not ${entry.spec}`]
  }
  if (mount.type === 'nfs' || mount.type === 'nfs4') {
    const isIt = withoutSlash(mount.source) === withoutSlash(entry.spec)
    return isIt ? [] : [`the source is ${mount.source}, not ${entry.spec}`]
  }
  // btrfs and others lie on several devices and have a number of their own, which begins with 0.
  if (device === undefined || device === mount.deviceNumber || mount.deviceNumber.startsWith('0:')) return []
  return [`the device is ${mount.source} (${mount.deviceNumber}), not ${entry.spec} (${device})`]
}

const withoutSlash = (path: string) => path.replace(/\/+$/, '')

/** On which filesystem a folder lies, and where on it. */
function originOf(folder: string, visible: ReadonlyMap<string, MountInfo>) {
  const path = withoutSlash(folder)
  let point = path
  while (point !== '' && !visible.has(point)) point = point.slice(0, point.lastIndexOf('/'))
  const mount = visible.get(point === '' ? '/' : point)
  if (mount === undefined) return undefined
  return { deviceNumber: mount.deviceNumber, root: `${withoutSlash(mount.root)}${path.slice(point.length)}` || '/' }
}

function optionDifferences(entry: FstabEntry, mount: MountInfo, compare: readonly string[]): readonly string[] {
  const written = entry.options.flatMap((word) => GROUPS[word] ?? word)
  const shown = new Set([...mount.flags, ...mount.superOptions])
  return [
    ...readOnlyDifference(entry, written, isReadOnly(mount)),
    ...FLAGS.flatMap(([set, clear]) => {
      const last = written.findLast((word) => word === set || word === clear)
      if (last === undefined || (last === set) === shown.has(set)) return []
      return [`${last} is written, and it is mounted ${last === set ? 'without it' : set}`]
    }),
    ...compare
      .filter((word) => written.includes(word) && !shown.has(word))
      .map((word) => `${word} is written, and it is mounted without it`),
  ]
}

/** `rw` is what no word means too; but a bind mount has that of what it shows. */
function readOnlyDifference(entry: FstabEntry, written: readonly string[], readOnly: boolean): readonly string[] {
  const implied = isBind(entry) ? undefined : 'rw'
  const wanted = written.findLast((word) => word === 'ro' || word === 'rw') ?? implied
  if (wanted === undefined || (wanted === 'ro') === readOnly) return []
  return [`it is mounted ${readOnly ? 'ro' : 'rw'}, not ${wanted}`]
}
