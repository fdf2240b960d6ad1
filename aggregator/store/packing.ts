/**
 * The texts of an event as they lie in the database: small, since ninety days of a large fleet are millions of them. What the
 * row's other columns say, and what most events say, is not written again but pointed at.
 */
import { createHash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'

export interface EventTexts {
  readonly id: string
  readonly summary: string
  readonly causedBy: string
  /** JSON, just as it was stored first. */
  readonly data: string
  /** RFC 3339, or whatever else was said. */
  readonly at: string
}

/**
 * What texts are likely to repeat, the likeliest last. It is part of the format: what was packed with it can be read with it
 * alone, so a better one is a new entry at the end.
 */
const DICTIONARIES = [
  [
    '{"votes":[{"voter":"","zone":"","opinion":"silent","channel":"udp","forMs":1000,"needed":3}],"verdictId":""}',
    'NodeDown HostHung Isolated AgentDown agent heard, incarnation leads the mesh, term missed it first suspected',
    '{"plan":{"id":"","node":"","remediator":"","findingId":"","reason":"","changes":[{"what":"","before":"","after":""}],',
    '"precondition":{},"reach":"process"},"phase":"verified","why":"","planId":"","decisionId":"","at":"","ended":true}',
    'would change proposed: awaiting-approval: approved: executing: verified: refused: escalated: by (page) (cli) (api)',
    'kubelet runtime containerd memory disk inodes clock conntrack sysctl network interface pressure filesystem mount',
    'MemoryAlmostFull ConntrackAlmostFull ReadOnlyFilesystem PidsExhausted FilesExhausted ClockUnusable KubeletUnhealthy',
    'RuntimeDown KubeletDown DiskAlmostFull DiskSpaceLow InodesLow /var/lib/kubelet /var/lib/containerd /dev/sda1 ',
    '","unit":"bytes"},{"name":"","value":"","unit":""},{"name":"used","value":0.9,"limit":0.85,"unit":"ratio"}]}',
    '","unit":"%"}]} ","unit":"ms"}]} ","unit":"s"}]} ","limit":0,"unit":"count"}]} (info): (warn): (alarm): (error): (unknown): ',
    '"]\n{"detector":"","evidence":[{"name":"","value":0,"limit":0,"unit":""},{"name":"',
    '/cleared","cleared: "]\n{"detector":"","evidence":[]}","finding/"]\n{}',
    '["suspected/","candidate/","roll-call/","verdict/","joined/","remediation/","permit/","plan/","finding/',
  ].join(''),
].map((text) => Buffer.from(text))

const NEWEST = DICTIONARIES.length - 1
/** The dictionary, what comes before it, and a long event fit into 4 KiB; more would only cost time. */
const WINDOW_BITS = 12
const MEM_LEVEL = 5
/** Most events fit: zlib would take 16 KiB for each of the rows of a page. */
const CHUNK_BYTES = 2_048
/** Far above what an event may hold: a damaged row ends here and not in the machine's memory. */
const UNPACKED_BYTES_MAX = 64 * 1024 * 1024

/** `node`, `at`: of the row. The first byte says which dictionary it was packed with. */
export function packTexts({ id, summary, causedBy, data, at }: EventTexts, node: string): Uint8Array {
  const ms = millisecondsOf(at)
  const head = isoOf(ms) === at ? [id, causedBy, summary] : [id, causedBy, summary, at]
  const packed = deflateRawSync(`${JSON.stringify(head)}\n${data}`, options(NEWEST, node, ms))
  return Buffer.concat([Buffer.from([NEWEST]), packed])
}

/** Throws an Error for what was not packed so. */
export function unpackTexts(packed: Uint8Array, node: string, ms: number): EventTexts {
  const given = options(packed[0] ?? 0, node, ms)
  const text = inflateRawSync(packed.subarray(1), { ...given, maxOutputLength: UNPACKED_BYTES_MAX }).toString()
  const end = text.indexOf('\n')
  const [id = '', causedBy = '', summary = '', at = isoOf(ms)] = JSON.parse(text.slice(0, end)) as string[]
  return { id, summary, causedBy, data: text.slice(end + 1), at }
}

/** The time that a row is looked for by; 0 for what is no time. */
export function millisecondsOf(at: string): number {
  const ms = Date.parse(at)
  return Number.isNaN(ms) ? 0 : ms
}

/** By which an event is found again: 32 bits of its id's SHA-256, signed, which SQLite keeps in four bytes. Two ids may share one. */
export function keyOf(id: string): number {
  return createHash('sha256').update(id).digest().readInt32BE(0)
}

function options(dictionary: number, node: string, ms: number) {
  const base = DICTIONARIES[dictionary]
  if (base === undefined) throw new Error(`the event was packed by a newer version (dictionary ${dictionary})`)
  // Most ids name their node, and when it began.
  const own = Buffer.from(`${isoOf(ms)}["finding/${node}/`)
  const size = { level: 9, windowBits: WINDOW_BITS, memLevel: MEM_LEVEL, chunkSize: CHUNK_BYTES }
  return { dictionary: Buffer.concat([base, own]), ...size }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
