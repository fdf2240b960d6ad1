/** Writes a recording as a recorded host: files at their paths, the rest in host.json. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { messageOf, StarlingError } from '../../common/errors.ts'
import type { RecordedHost } from '../../detectors/recording/recorded.ts'

/** As many as the kernel follows in one path (path_resolution(7)). */
const LINKS_MAX = 40

export interface Written {
  readonly files: number
  readonly bytes: number
}

type Links = ReadonlyMap<string, string>

/**
 * Into `folder`, which must not hold anything yet. What was read through a link is written where the link points, and links
 * are made last, so that nothing is written through one: the recording may come from a node that is not trusted. Throws a
 * StarlingError for one that is of no host, as with a file in a file.
 */
export function writeRecording(folder: string, recorded: RecordedHost): Written {
  try {
    return write(folder, recorded)
  } catch (cause) {
    throw new StarlingError(`the recording cannot be written: ${messageOf(cause)}`, { cause })
  }
}

function write(folder: string, recorded: RecordedHost): Written {
  const { files, folders, unreadable, host } = recorded
  const links = linksOf(recorded)
  const above = new Set(asked(recorded).flatMap(foldersAbove))
  const place = (path: string) => join(folder, followed(path, links))
  let bytes = 0
  const writeText = (file: string, text: string) => {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { flag: 'wx' })
    bytes += Buffer.byteLength(text)
  }
  // A folder in place of a file cannot be read as one, not even by root.
  const ledTo = [...links.keys()].filter((path) => above.has(path))
  for (const path of [...Object.keys(folders), ...unreadable, ...ledTo]) mkdirSync(place(path), { recursive: true })
  for (const [path, text] of Object.entries(files)) writeText(place(path), text)
  for (const path of onlyNamed(recorded)) writeText(place(path), '')
  writeText(join(folder, 'host.json'), `${JSON.stringify(host, null, 2)}\n`)
  const ends = [...links].map(([path, target]) => [join(place(dirname(path)), posix.basename(path)), target] as const)
  for (const [file] of ends) mkdirSync(dirname(file), { recursive: true })
  for (const [file, target] of ends) symlinkSync(target, file)
  return { files: Object.keys(files).length + links.size, bytes }
}

/** One that leads out of the recording is left out where something was read through it: that stands in its place. */
function linksOf(recorded: RecordedHost): Links {
  const { files, folders, unreadable, links } = recorded
  const read = [...Object.keys(files), ...Object.keys(folders), ...unreadable]
  const used = new Set([...read, ...asked(recorded).flatMap(foldersAbove)])
  return new Map(Object.entries(links).filter(([path, target]) => staysWithin(path, target) || !used.has(path)))
}

function asked({ files, folders, unreadable, present, absent, links }: RecordedHost): readonly string[] {
  return [...[files, folders, links].flatMap(Object.keys), ...unreadable, ...present, ...absent]
}

function staysWithin(path: string, target: string): boolean {
  return !posix.isAbsolute(target) && !posix.join(dirname(path).slice(1), target).startsWith('..')
}

/** Where a path leads when links that stay within the recording are followed. Throws an Error where they lead round and round. */
function followed(path: string, links: Links): string {
  let at = path
  for (let count = 0; count <= LINKS_MAX; count++) {
    const link = [...foldersAbove(at), at].find((above) => staysWithin(above, links.get(above) ?? '/'))
    if (link === undefined) return at
    at = posix.join(dirname(link), links.get(link) ?? '', at.slice(link.length))
  }
  throw new Error(`${path} leads through more than ${LINKS_MAX} links`)
}

/** From the root down. */
function foldersAbove(path: string): readonly string[] {
  const names = path.split('/').slice(1, -1)
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)
}

/** Paths that were seen in a folder or asked for, and not read: they become empty files, unless something lies below them. */
function onlyNamed({ files, links, folders, present, absent, unreadable }: RecordedHost): readonly string[] {
  const listed = Object.entries(folders).flatMap(([folder, names]) => names.map((name) => join(folder, name)))
  const known = [...Object.keys(files), ...Object.keys(links), ...Object.keys(folders), ...unreadable]
  const taken = new Set([...known, ...absent, ...[...known, ...present].flatMap(foldersAbove)])
  return [...new Set([...listed, ...present])].filter((path) => !taken.has(path))
}
