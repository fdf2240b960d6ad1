/** Writes a recording as a recorded host: files at their paths, the rest in host.json. Everything goes through redaction. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import type { Recording } from '../../detectors/testing/recording-host.ts'

export interface Written {
  readonly files: number
  readonly bytes: number
}

export interface Sitter {
  /** What the host is called from now on. */
  readonly node: string
  /** Privileges that the detector lacked there. */
  readonly missing: readonly string[]
}

/** Into `folder`, which must not hold anything yet. */
export function writeRecording(
  folder: string,
  recording: Recording,
  { node, missing }: Sitter,
  redact: (text: string) => string,
): Written {
  let bytes = 0
  const place = (path: string) => join(folder, normalize(redact(path)))
  const write = (path: string, text: string) => {
    const file = place(path)
    mkdirSync(dirname(file), { recursive: true })
    const clean = redact(text)
    writeFileSync(file, clean)
    bytes += Buffer.byteLength(clean)
  }
  const link = (path: string, target: string) => {
    const at = place(path)
    const end = resolve(dirname(at), target)
    // What was read through it lies where it points, and that must be within the recording.
    if (hasBelow(recording, path)) {
      if (!end.startsWith(`${resolve(folder)}/`)) return
      mkdirSync(end, { recursive: true })
    }
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(target, at)
  }
  mkdirSync(folder, { recursive: true })
  for (const [path, target] of recording.links) link(path, redact(target))
  for (const path of recording.folders.keys()) mkdirSync(place(path), { recursive: true })
  for (const [path, text] of recording.files) write(path, text)
  // A folder in place of a file cannot be read as one, not even by root.
  for (const path of recording.unreadable) mkdirSync(place(path), { recursive: true })
  for (const path of onlyNamed(recording)) write(path, '')
  const text = `${JSON.stringify(hostJson(recording, { node, missing }, redact), null, 2)}\n`
  writeFileSync(join(folder, 'host.json'), text)
  return { files: recording.files.size + recording.links.size, bytes: bytes + text.length }
}

/** Whether something was looked for below `path`, so that it was a folder. */
function hasBelow({ files, folders, unreadable, absent }: Recording, path: string): boolean {
  const asked = [...files.keys(), ...folders.keys(), ...unreadable, ...absent]
  return asked.some((other) => other.startsWith(`${path}/`))
}

/** Paths that were seen in a folder or asked for, and not read: they become empty files, unless something lies below them. */
function onlyNamed(recording: Recording): readonly string[] {
  const { files, links, folders, present, absent, unreadable } = recording
  const listed = [...folders].flatMap(([folder, names]) => names.map((name) => join(folder, name)))
  const folderPaths = new Set<string>(folders.keys())
  for (const path of [...files.keys(), ...links.keys(), ...unreadable, ...present, ...folders.keys()]) {
    for (let above = dirname(path); above !== dirname(above); above = dirname(above)) folderPaths.add(above)
  }
  const isTaken = (path: string) =>
    files.has(path) || links.has(path) || absent.has(path) || unreadable.has(path) || folderPaths.has(path)
  return [...new Set([...listed, ...present])].filter((path) => !isTaken(path))
}

function hostJson(recording: Recording, { node, missing }: Sitter, redact: (text: string) => string): object {
  const { filesystems, replies, calls, commands, ages, logs, peers, peerLinks, majorities } = recording
  const parts = {
    missing,
    filesystems: Object.fromEntries(filesystems),
    replies,
    calls,
    commands,
    ages: Object.fromEntries(ages),
    logs,
    peers,
    peerLinks,
    majorities,
  }
  const given = Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0)
  return { node, ...(redacted(Object.fromEntries(given), redact) as object) }
}

/** Keys and texts alike. */
function redacted(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redacted(item, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [redact(key), redacted(inner, redact)]))
}
