/** Holds a detector to what it says that it touches: people were shown that list before they let it run. */
import type { Touches } from '../contract.ts'
import { globPattern } from './glob.ts'
import { type Host, JOURNALCTL, type LogSource, type LogWatch } from './port.ts'

export interface GuardedHost extends Host {
  /** Nobody looks at the host by this any more: logs that were are let go. */
  leave(): void
}

/**
 * `host`, but that an access outside of `touches` throws an Error that names it. The names of a folder may be listed, and
 * whether a path exists be asked, also of each folder above a path that may be read. Paths are resolved as written, `..`
 * included, before they are looked up and before the host gets them; where links of the host lead is up to the host.
 */
export function guardedHost(host: Host, touches: Touches): GuardedHost {
  const { paths = [], filesystems = [], commands = [], services = [], peers = false } = touches
  const watched = new Map<string, LogWatch>()
  const mayRead = globMatcher(paths)
  const mayList = globMatcher(paths.flatMap(foldersAbove))
  const mayMeasure = globMatcher(filesystems)
  const mayRun = globMatcher(commands)
  const mayAsk = globMatcher(services)
  const reading = (path: string) => permitted(path, mayRead)
  const listing = (path: string) => permitted(path, (resolved) => mayRead(resolved) || mayList(resolved))
  const measuring = (path: string) =>
    permitted(path, (resolved) => mayRead(resolved) || mayList(resolved) || mayMeasure(resolved))
  const following = (source: LogSource) =>
    source.kind === 'journal'
      ? permitted(JOURNALCTL, mayRun)
      : reading(source.kind === 'kmsg' ? '/dev/kmsg' : source.path)
  return {
    node: host.node,
    missing: host.missing,
    readText: async (path) => host.readText(reading(path)),
    readInt: async (path) => host.readInt(reading(path)),
    readWords: async (path) => host.readWords(reading(path)),
    processes: async (asOf) => {
      reading('/proc/1/cmdline')
      return host.processes(asOf)
    },
    readLink: async (path) => host.readLink(reading(path)),
    list: async (path) => host.list(listing(path)),
    age: async (path) => host.age(reading(path)),
    exists: async (path) => host.exists(listing(path)),
    filesystem: async (path) => host.filesystem(measuring(path)),
    get: async (url, options) => permit(mayAsk(serviceOf(url)), serviceOf(url)) && host.get(url, options),
    call: async (url, message, options) =>
      permit(mayAsk(serviceOf(url)), serviceOf(url)) && host.call(url, message, options),
    run: async ([program, ...args], options) => host.run([permitted(program, mayRun), ...args], options),
    log: async (watch, signal) => {
      following(watch.source)
      watched.set(JSON.stringify(watch), watch)
      return host.log(watch, signal)
    },
    leave() {
      for (const watch of watched.values()) host.letGo?.(watch)
      watched.clear()
    },
    peerOffsets: () => permit(peers, 'its peers') && host.peerOffsets(),
    peerLinks: () => permit(peers, 'its peers') && host.peerLinks(),
    majority: (fact, own) => (permit(peers, 'its peers') ? host.majority(fact, own) : undefined),
  }
}

/** `path` as the host is to be asked for it. */
function permitted(path: string, isAllowed: (resolved: string) => boolean): string {
  const resolved = resolvedPath(path)
  permit(resolved !== undefined && isAllowed(resolved), path)
  return resolved ?? path
}

/** Without `.`, `..` and empty names; undefined for one that is not absolute. Nothing is above the root. */
function resolvedPath(path: string): string | undefined {
  if (!path.startsWith('/')) return undefined
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '.' && name !== '') names.push(name)
  }
  return `/${names.join('/')}`
}

/**
 * What `touches.services` is held against: `http://127.0.0.1:10248` of a URL, `unix:/path/of/socket` of a socket's. Throws an
 * Error for an address that a URL parser may take for another than the one that it seems to be.
 */
function serviceOf(url: string): string {
  const socket = /^(unix:[^:]+):/.exec(url)?.[1]
  const service = socket ?? /^https?:\/\/[^/?#]+/.exec(url)?.[0]
  // A user before `@` can look like the host, `\` counts as `/`, and white space is left out of what is parsed.
  const isPlain = service !== undefined && !/[@\\]/.test(service) && !/[\s\p{Cc}]/u.test(url)
  permit(isPlain && !service.split('/').includes('..'), url)
  return service ?? url
}

/** Returns true, so that it can stand before what it permits. */
function permit(allowed: boolean, what: string): true {
  if (!allowed) throw new Error(`${what} is not among what it says that it touches`)
  return true
}

/** Whether a text is matched by one of `globs`: `*` is any text without a slash, `**` any text. */
export function globMatcher(globs: readonly string[]): (text: string) => boolean {
  const patterns = globs.map(globPattern)
  return (text) => patterns.some((pattern) => pattern.test(text))
}

/** `/`, `/proc` and `/proc/*` of `/proc/*\/stat`. */
function foldersAbove(glob: string): readonly string[] {
  const names = glob.split('/').slice(1, -1)
  return ['/', ...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)]
}
