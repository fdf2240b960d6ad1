/**
 * Takes out of recorded text what must not leave a host: secrets by their form, and names and addresses, each replaced by the
 * same stand-in wherever it stands, so that what belonged together still does.
 */
import { isIPv6 } from 'node:net'

/** Addresses that say nothing about a host. */
const PLAIN_ADDRESS = /^(?:127\.|0\.0\.0\.0$|255\.)/

/** Every repetition that can begin anywhere is bounded: a text that was made to be slow must not hold up an agent. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [
    /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g,
    '-----BEGIN $1-----\nREDACTED\n-----END $1-----',
  ],
  // A JSON Web Token; a Kubernetes service account's is one.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, 'REDACTED'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, '$1 REDACTED'],
  // AWS, GitHub, GitLab, Slack.
  [/\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,})/g, 'REDACTED'],
  // A name and a password in an address.
  [/([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@:]*:[^\s/@]+@/gi, '$1REDACTED@'],
  [
    /((?:passw(?:or)?d|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)["']?(?:\s*[:=]\s*|\0)["']?)(?!REDACTED)[^\s"',;&\0]+/gi,
    '$1REDACTED',
  ],
  [/(--[\w-]{0,32}(?:passw(?:or)?d|secret|token|key)\s+)(?!REDACTED)[^\s-][^\s]*/gi, '$1REDACTED'],
]

const IPV4 = /(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\w)/g
const MAYBE_IPV6 = /(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f:]{0,36}:[0-9a-f:.]{0,15}(?![\w:])/gi
const MAC = /(?<![\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\w:])/gi
const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi
/** Machine ids, keys, digests and ids of containers. */
const LONG_HEX = /\b(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})\b/gi
/** As /proc/net/tcp writes an address and a port. */
const HEX_ADDRESS = /\b([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})\b/g

/** RFC 1035, in characters. */
const NAME_MAX = 253
/** A word that can be the name of a host, with its domain or without. */
const HOST_WORD = /[a-z0-9][\w-]*(?:\.[\w-]+)*/gi

type StandIn = (kind: string, text: string, make: (index: number) => string) => string

/**
 * `names`: of the host, to become `node`. `others`: names of other hosts, which become `peer-1`, `peer-2` and so on. What it
 * returns keeps its stand-ins from one text to the next.
 */
export function redactor(
  names: readonly string[],
  node: string,
  others: readonly string[] = [],
): (text: string) => string {
  const known = new Map<string, Map<string, string>>()
  const standIn: StandIn = (kind, text, make) => {
    const ofKind = known.get(kind) ?? new Map<string, string>()
    known.set(kind, ofKind)
    const key = text.toLowerCase()
    const made = ofKind.get(key) ?? make(ofKind.size + 1)
    ofKind.set(key, made)
    return made
  }
  const peers = new Set(others.filter((name) => !names.includes(name)).map((name) => name.toLowerCase()))
  /** One look-up a word, since there may be thousands of other hosts. */
  const peer = (word: string): string => {
    for (let end = word.length; end > 0; end = word.lastIndexOf('.', Math.min(end - 1, NAME_MAX))) {
      if (end > NAME_MAX) continue
      const name = word.slice(0, end)
      if (peers.has(name.toLowerCase())) return standIn('peer', name, (index) => `peer-${index}`) + word.slice(end)
    }
    return word
  }
  const ownNames = names
    .flatMap((name) => [name, name.split('.')[0] ?? name])
    .filter((name) => name.length > 1 && name !== 'localhost' && name !== node)
    .toSorted((a, b) => b.length - a.length)
    .map((name) => new RegExp(`(?<![\\w-])${name.replace(/[^\w]/g, '\\$&')}(?![\\w-])`, 'gi'))
  return (text) => {
    let clean = text
    for (const [pattern, replacement] of SECRETS) clean = clean.replace(pattern, replacement)
    // Before the host's own, whose stand-in may be the name of another.
    if (peers.size > 0) clean = clean.replace(HOST_WORD, peer)
    for (const pattern of ownNames) clean = clean.replace(pattern, node)
    return clean
      .replace(UUID, (id) => standIn('uuid', id, (index) => `00000000-0000-4000-8000-${hex(index, 12)}`))
      .replace(HEX_ADDRESS, (all, address: string, port: string) =>
        /^0+$/.test(address) || address === '0100007F' ? all : `${hexAddress(standIn, address)}:${port}`,
      )
      .replace(LONG_HEX, (id) => (/^0+$/.test(id) ? id : standIn('id', id, (index) => hex(index, id.length))))
      .replace(MAC, (mac) =>
        /^[0:]+$|^ff:/i.test(mac) ? mac : standIn('mac', mac, (index) => `02:00:00:00:00:${hex(index % 256, 2)}`),
      )
      .replace(IPV4, (address) =>
        PLAIN_ADDRESS.test(address) ? address : standIn('ipv4', address, documentationAddress),
      )
      .replace(MAYBE_IPV6, (address) =>
        !isIPv6(address) || /^::1?$/.test(address)
          ? address
          : standIn('ipv6', address, (index) => `2001:db8::${index.toString(16)}`),
      )
  }
}

function hexAddress(standIn: StandIn, address: string): string {
  return standIn('hex', address, (index) => hex(index, address.length).toUpperCase())
}

/** From the blocks that are set aside for documentation (RFC 5737), 762 of them, then of 198.18.0.0/15 (RFC 2544). */
function documentationAddress(index: number): string {
  const block = ['192.0.2', '198.51.100', '203.0.113'][Math.floor((index - 1) / 254)]
  if (block !== undefined) return `${block}.${((index - 1) % 254) + 1}`
  return `198.18.${Math.floor(index / 256) % 256}.${index % 256}`
}

function hex(index: number, length: number): string {
  return index.toString(16).padStart(length, '0')
}
