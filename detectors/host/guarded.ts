/** Holds a detector to what it says that it touches: people were shown that list before they let it run. */
import type { Touches } from '../contract.ts'
import type { Host } from './port.ts'

/**
 * `host`, but that an access outside of `touches` throws an Error that names it. The names of a folder may be listed, and
 * whether a path exists be asked, also of each folder above a path that may be read.
 */
export function guardedHost(host: Host, { paths = [], commands = [], services = [], peers = false }: Touches): Host {
  const mayRead = anyOf(paths)
  const mayList = anyOf(paths.flatMap(foldersAbove))
  const mayRun = anyOf(commands)
  const mayAsk = anyOf(services)
  const reading = (path: string) => permit(mayRead(path), path)
  const listing = (path: string) => permit(mayRead(path) || mayList(path), path)
  return {
    node: host.node,
    missing: host.missing,
    readText: async (path) => reading(path) && host.readText(path),
    readInt: async (path) => reading(path) && host.readInt(path),
    readWords: async (path) => reading(path) && host.readWords(path),
    readLink: async (path) => reading(path) && host.readLink(path),
    list: async (path) => listing(path) && host.list(path),
    exists: async (path) => listing(path) && host.exists(path),
    filesystem: async (path) => listing(path) && host.filesystem(path),
    get: async (url, options) => permit(mayAsk(serviceOf(url)), serviceOf(url)) && host.get(url, options),
    call: async (url, message, options) =>
      permit(mayAsk(serviceOf(url)), serviceOf(url)) && host.call(url, message, options),
    run: async (command, options) => permit(mayRun(command[0]), command[0]) && host.run(command, options),
    peerOffsets: () => permit(peers, 'its peers') && host.peerOffsets(),
  }
}

/** What `touches.services` is held against: `http://127.0.0.1:10248` of a URL, `unix:/path/of/socket` of a socket's. */
function serviceOf(url: string): string {
  const socket = /^unix:[^:]*/.exec(url)?.[0]
  return socket ?? /^[a-z]+:\/\/[^/?#]*/.exec(url)?.[0] ?? url
}

/** Returns true, so that it can stand before what it permits. */
function permit(allowed: boolean, what: string): true {
  if (!allowed) throw new Error(`${what} is not among what this detector says that it touches`)
  return true
}

function anyOf(globs: readonly string[]): (text: string) => boolean {
  const patterns = globs.map(patternOf)
  return (text) => patterns.some((pattern) => pattern.test(text))
}

/** `**` is any text, `*` any text without a slash, everything else itself. */
function patternOf(glob: string): RegExp {
  const parts = glob.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*'
    return part === '*' ? '[^/]*' : part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('')}$`, 's')
}

/** `/`, `/proc` and `/proc/*` of `/proc/*\/stat`. */
function foldersAbove(glob: string): readonly string[] {
  const names = glob.split('/').slice(1, -1)
  return ['/', ...names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`)]
}
