/** What /etc/fstab says is to be mounted, and where the device that an entry names is. */
import { type Host, NotApplicable } from '../contract.ts'
import { failureCode } from './failure.ts'
import { unescapeMount } from './mounts.ts'

export const FSTAB = '/etc/fstab'

/** One line of fstab(5). */
export interface FstabEntry {
  /** As it is written: `UUID=…`, `/dev/sda1`, `server:/export`, `tmpfs`. */
  readonly spec: string
  readonly mountPoint: string
  readonly type: string
  readonly options: readonly string[]
}

/** No entries when there is no such file: then something else mounts, or the agent runs in a container that does not have it. */
export async function readFstab(host: Host): Promise<readonly FstabEntry[]> {
  try {
    return parseFstab(await host.readText(FSTAB))
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}

/** Comments and lines with fewer than three fields are passed over, as mount(8) does; no options are `defaults`. */
export function parseFstab(text: string): readonly FstabEntry[] {
  return text.split('\n').flatMap((line) => {
    const [spec = '', mountPoint, type, options = 'defaults'] = line.trim().split(/\s+/)
    if (spec.startsWith('#') || mountPoint === undefined || type === undefined) return []
    // A mount point may be written with a slash at its end, which the kernel does not show.
    const point = unescapeMount(mountPoint).replace(/(.)\/+$/, '$1')
    return { spec: unescapeMount(spec), mountPoint: point, type, options: options.split(',').map(unescapeMount) }
  })
}

/** The tags of fstab(5), and the folder in which udev makes a link to the device for each. */
const TAGS: Readonly<Record<string, string>> = {
  UUID: 'by-uuid',
  LABEL: 'by-label',
  PARTUUID: 'by-partuuid',
  PARTLABEL: 'by-partlabel',
  ID: 'by-id',
}

/** The path of the device that `spec` names; undefined when it names none: a server, a folder, a filesystem in memory. */
export function devicePath(spec: string): string | undefined {
  if (spec.startsWith('/dev/')) return spec
  const [, tag = '', value = ''] = /^([A-Z]+)="?([^"]+)"?$/.exec(spec) ?? []
  const folder = TAGS[tag]
  return folder === undefined ? undefined : `/dev/disk/${folder}/${escapeTag(value)}`
}

/** As udev names its links: whatever is not plain as `\x` and two hexadecimal digits. */
function escapeTag(value: string): string {
  return value.replace(
    /[^\w#+\-.:=@\u0080-\u{10ffff}]/gu,
    (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

/** A link that leads through more of them leads in a circle. */
const LINKS_MAX = 8

/** The device file that `path` leads to, over links. Undefined when it leads nowhere. */
export async function followLinks(host: Host, path: string): Promise<string | undefined> {
  let at = path
  for (let links = 0; links < LINKS_MAX; links++) {
    let target: string
    try {
      target = await host.readLink(at)
    } catch (error) {
      if (error instanceof NotApplicable) return undefined
      // It is there and no link.
      if (failureCode(error) === 'EINVAL') return at
      throw error
    }
    at = resolvePath(at, target)
    if (!at.startsWith('/dev/')) return undefined
  }
  return undefined
}

/** `../../sda1` in /dev/disk/by-uuid/ is /dev/sda1. */
function resolvePath(link: string, target: string): string {
  const names = target.startsWith('/') ? [] : link.split('/').slice(1, -1)
  for (const name of target.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return `/${names.join('/')}`
}
