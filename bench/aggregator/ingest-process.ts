/**
 * An aggregator of so many nodes without a mesh, in a process of its own: its journal is on disk, its service and its HTTP
 * side are those that ship, and what nodes would say is said to its intake when it is due. Run by ingest.ts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { callersOf } from '../../aggregator/http/auth.ts'
import { storeName } from '../../aggregator/http/cursor.ts'
import { createHttpServer, listenHttp } from '../../aggregator/http/server.ts'
import { Intake } from '../../aggregator/intake.ts'
import { createNodeDesks } from '../../aggregator/node-desks.ts'
import { AggregatorService } from '../../aggregator/service.ts'
import type { PermitsSide, SettingsSide } from '../../aggregator/sides.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { Finding } from '../../detectors/contract.ts'
import { encodeReport, reportTopic } from '../../detectors/engine/report-note.ts'
import { Leader } from '../../mesh/core/leader.ts'
import { Membership } from '../../mesh/core/membership.ts'
import type { Roster, SignedStatement, StatementBody } from '../../mesh/core/model.ts'
import { ringOf } from '../../mesh/core/ring.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { encodeWatching, WATCHING_TOPIC } from '../../mesh/wire/watching.ts'

export interface IngestOrder {
  readonly folder: string
  readonly nodes: number
  /** That find each node to be well. */
  readonly detectors: number
  readonly perSecond: number
  readonly seconds: number
  readonly token: string
}

export type IngestWord =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'done'; readonly rssMax: number; readonly cpuS: number; readonly stored: number }

const TTL_MS = 180_000
const WELL_TTL_MS = 86_400_000

const settings = {
  view: () => ({ version: 1, applied: {}, refused: {}, rollout: null, held: [], last: null }),
} as unknown as SettingsSide
const permits = { view: () => ({ outstanding: [], refused: [], pauses: [] }) } as unknown as PermitsSide

// Whoever began it has gone, also in the middle.
process.once('disconnect', () => process.exit())
process.once('message', (order: IngestOrder) => void run(order))

async function run({ folder, nodes, detectors, perSecond, seconds, token }: IngestOrder): Promise<void> {
  const dir = mkdtempSync(join(folder, 'ingest-'))
  const log = pino({ level: 'silent' })
  const store = openJournal(join(dir, 'history.sqlite'))
  const roster: Roster = {
    mesh: 'bench',
    epoch: 1,
    previous: '',
    seed: 'bench',
    members: Array.from({ length: nodes }, (_, n) => ({
      node: `node-${n}`,
      serial: 1,
      zone: `zone-${n % 3}`,
      roles: ['worker'],
      peerId: `peer-${n}`,
      hosts: ['10.0.0.1'],
      meshPort: 7_790,
      kubeletPort: 10_250,
    })),
    aggregators: [],
  }
  const service = new AggregatorService({
    store,
    roster,
    node: 'aggregator',
    life: 1,
    version: '0',
    notice: () => '',
    people: () => [],
    copies: () => null,
    log,
    keepRoster: () => {},
  })
  const keyring = { sign: () => new Uint8Array(), verify: () => true }
  const rest = {
    heartbeats: false,
    rosterHash: '',
    nonce: () => 'nonce',
    keyring,
    timing: DEFAULT_TIMING,
    standing: [],
  }
  const leader = new Leader(0, { ...rest, node: 'aggregator', term: 1, membership: new Membership(roster) })
  service.start(
    { leader, now: () => performance.now(), publish: () => {}, roster },
    { office: () => ({ role: 'leads', since: '', why: '', leader: 'aggregator', unfit: null }), marking: () => null },
    settings,
    permits,
  )
  for (const { node } of roster.members)
    for (const signed of [...standing(node, roster), ...well(node, detectors)])
      service.fleet.hear(performance.now(), signed)
  const server = createHttpServer({
    port: service,
    storeName: storeName(store, 'aggregator'),
    version: '0',
    desks: createNodeDesks(),
    trail: store.trail,
    callers: callersOf(token, () => []),
    webRoot: dir,
    metrics: async () => '',
    log,
  })
  const intake = new Intake({
    together: (work) => service.recorder.together(work),
    hear: (signed) => service.hear(signed),
    heard: () => {},
    log,
  })
  let stored = 0
  service.subscribe((event) => {
    if (event !== null) stored++
  })
  const url = await listenHttp(server, '127.0.0.1', 0)
  process.send?.({ kind: 'ready', url } satisfies IngestWord)
  await new Promise((resolve) => process.once('message', resolve))

  const of = perSecond * seconds
  const startedAt = Date.now()
  let said = 0
  let rssMax = 0
  const before = process.cpuUsage()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      rssMax = Math.max(rssMax, process.memoryUsage.rss())
      const due = Math.min(of, Math.floor(((Date.now() - startedAt) / 1_000) * perSecond))
      for (; said < due; said++) intake.take(transition(said, nodes, startedAt + (said / perSecond) * 1_000))
      if (said < of) return
      clearInterval(timer)
      resolve()
    }, 5)
  })
  intake.flush()
  const { user, system } = process.cpuUsage(before)
  process.send?.({ kind: 'done', rssMax, cpuS: (user + system) / 1e6, stored } satisfies IngestWord)
  await new Promise((resolve) => process.once('message', resolve))
  await server.close()
  store.close()
  rmSync(dir, { recursive: true })
  process.disconnect()
}

/** What a node has said long ago: that it is there, and whom it watches. */
function standing(node: string, roster: Roster): readonly SignedStatement[] {
  const bytes = encodeWatching(ringOf(roster).subjectsOf(node))
  return [
    saidBy(node, 0, { kind: 'announcement', incarnation: { serial: 1, boot: 1, refutations: 0 } }),
    saidBy(node, 0, { kind: 'note', topic: WATCHING_TOPIC, bytes }),
  ]
}

/** What its detectors have found, for longer than this takes. */
function well(node: string, detectors: number): readonly SignedStatement[] {
  const at = new Date().toISOString()
  return Array.from({ length: detectors }, (_, n) => {
    const detector = `detector-${n}`
    const said = { reason: 'Ok', cause: '', status: 'ok', summary: 'all is as it should be', evidence: [] } as const
    const times = { since: at, observedAt: at, ttlMs: WELL_TTL_MS }
    const finding: Finding = { id: `${node}/${detector}/Ok/#${at}`, node, detector, ...said, ...times }
    return saidBy(node, n, { kind: 'note', topic: reportTopic(detector), bytes: encodeReport([finding]) }, WELL_TTL_MS)
  })
}

/** The nodes one after the other: something is found on each, and the next time it is gone. `dueAt`: ms since the epoch. */
function transition(count: number, nodes: number, dueAt: number): SignedStatement {
  const node = `node-${count % nodes}`
  const round = Math.floor(count / nodes)
  const isFault = round % 2 === 0
  const at = new Date(dueAt).toISOString()
  const finding: Finding = {
    id: `${node}/disk-usage/DiskAlmostFull//#${round}`,
    node,
    detector: 'disk-usage',
    reason: isFault ? 'DiskAlmostFull' : 'Ok',
    cause: '/',
    status: isFault ? 'alarm' : 'ok',
    summary: isFault ? `/ is 93 % full, of 400 GiB` : 'all is well',
    evidence: [{ name: 'due', value: dueAt, unit: 'ms' }],
    since: at,
    observedAt: at,
    ttlMs: TTL_MS,
  }
  return saidBy(node, count, { kind: 'note', topic: reportTopic('disk-usage'), bytes: encodeReport([finding]) })
}

/** As the mesh hands it on: the signature was checked there. */
function saidBy(signer: string, seq: number, body: StatementBody, ttlMs = TTL_MS): SignedStatement {
  return { statement: { signer, serial: 1, boot: 1, seq, ttlMs, body }, signature: new Uint8Array(64) }
}
