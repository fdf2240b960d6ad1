/**
 * An inspection of 10,000 nodes, each asked over the mesh: the rules that ship, on virtual time, with rows as large as those of
 * real nodes. First as it usually is; then 5 % of the nodes and a child of the root fall silent in the middle, and others lie.
 */
import { randomBytes } from 'node:crypto'
import { builtinDetectors } from '../../detectors/index.ts'
import { MEASURES } from '../../inspection/measures.ts'
import type { RowFinding } from '../../inspection/row.ts'
import { encodeRow } from '../../inspection/row-codec.ts'
import type { Gathered } from '../../mesh/core/convergecast.ts'
import { rowPayload } from '../../mesh/core/convergecast.ts'
import { createKeyring } from '../../mesh/identity/keyring.ts'
import { keyPairFromSeed } from '../../mesh/identity/keys.ts'
import { ASK_BYTES_MAX } from '../../mesh/libp2p/asks.ts'
import { pack } from '../../mesh/libp2p/convergecast.ts'
import { ConvergeWorld } from '../../mesh/sim/convergecast.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import { simMember } from '../../mesh/sim/sim-roster.ts'
import type { Measurement, Progress, Target } from '../bench.ts'
import type { Part, PartOutcome } from './part.ts'

const NODES = 10_000
const WITHIN_MS = 9_500
/** Looks for 0.1 s of a core (node-agent/inspection-row.ts), on hosts of which some are busy: the slowest has to be waited for. */
const LOOK_MS = [100, 2_000] as const
/** Of a node's detectors, as many find something. */
const FOUND_SHARE = 0.1
const DEATHS = 0.05
/** The question has come down by then, and hardly anybody has answered. */
const DEATHS_AT_MS = 300
const CHECKED = 1_000

export const freshInspection: Part = { name: 'fresh', run: inspectFresh }

async function inspectFresh({ seed }: { readonly seed: number }, progress: Progress): Promise<PartOutcome> {
  const names = Array.from({ length: NODES }, (_, index) => `node-${String(index + 1).padStart(5, '0')}`)
  const roster = {
    ...{ mesh: 'bench', epoch: 1, previous: '', seed: `${seed}`, aggregators: [simMember('aggregator-1', '')] },
    members: names.map((node, index) => simMember(node, `zone-${index % 3}`)),
  }
  const random = seededRandom(seed)
  const world = () =>
    new ConvergeWorld({ roster, seed, lookMs: LOOK_MS, rowOf: () => sampleRow(random), pack: weighed })

  const usual = world()
  const all = usual.inquire(names, WITHIN_MS)
  const usualS = usual.agenda.now / 1_000
  progress(`${all.rows.size} of ${NODES} answered in ${usualS} s, ${usual.frames.length} frames`)

  const harmed = world()
  harmed.agenda.at(DEATHS_AT_MS, () => {
    harmed.kill(harmed.askedByRoot[0] ?? '')
    for (const node of names) if (harmed.random() < DEATHS) harmed.kill(node)
    // The last that the root asked forges what it hands on.
    harmed.tampers.set(harmed.askedByRoot.at(-1) ?? '', forge)
  })
  const left = harmed.inquire(names, WITHIN_MS)
  const harmedS = harmed.agenda.now / 1_000
  const living = names.filter((node) => !harmed.isDead(node))
  const heard = living.filter((node) => left.rows.has(node)).length
  const forged = [...left.rows.values()].filter(({ bytes }) => bytes.length === FORGED.length).length
  progress(`${heard} of ${living.length} that live answered in ${harmedS} s, ${harmed.frames.length} frames`)

  const figure = (name: string, value: number, unit: string): Measurement => ({ name: `fresh: ${name}`, value, unit })
  const most = (name: string, value: number, unit: string, target: number): Target => {
    return { ...figure(name, value, unit), op: '<=', target }
  }
  const targets: Target[] = [
    most('10,000 nodes', usualS, 'virtual s', 10),
    most('frames into the aggregator', usual.frames.length, 'frames', 100),
    most('largest frame', Math.max(...usual.frames), 'bytes', ASK_BYTES_MAX),
    { ...figure('answered', (100 * all.rows.size) / NODES, '%'), op: '>=', target: 100 },
    most('5 % and a child of the root killed', harmedS, 'virtual s', 10),
    most('frames then', harmed.frames.length, 'frames', 100),
    most('largest frame then', Math.max(...harmed.frames), 'bytes', ASK_BYTES_MAX),
    { ...figure('answered then, of the living', (100 * heard) / living.length, '%'), op: '>=', target: 99.5 },
    most('forged rows taken then', forged, 'rows', 0),
    { ...figure('forged rows refused then', left.refused, 'rows'), op: '>=', target: 1 },
  ]
  const bytes = usual.frames.reduce((sum, each) => sum + each, 0)
  return {
    targets,
    results: [
      ...targets.map(({ name, value, unit }) => ({ name, value, unit })),
      figure('a row on average', meanOf(Array.from({ length: 100 }, () => sampleRow(random).length)), 'bytes'),
      figure('a row in its frame', bytes / all.rows.size, 'bytes'),
      figure('checking 10,000 signatures', await checkingMs(random), 'ms of a core'),
    ],
  }
}

/** Of a node with every detector that ships and all measures; what is found is said in words that no other node uses. */
function sampleRow(random: () => number): Uint8Array {
  const findings: RowFinding[] = []
  const fine: string[] = []
  for (const { name, reasons } of builtinDetectors) {
    const names = Object.keys(reasons)
    const reason = names[Math.floor(random() * names.length)] ?? ''
    if (random() >= FOUND_SHARE) fine.push(name)
    else findings.push({ detector: name, status: 'warn', reason, summary: randomText(random, 120) })
  }
  const measures = Object.fromEntries(Object.keys(MEASURES).map((name) => [name, random() * 100]))
  return encodeRow({ at: new Date(1.8e12 + random() * 1e5).toISOString(), fine, findings, measures, older: {} })
}

function randomText(random: () => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('')
}

const FORGED = new Uint8Array([0])

function forge({ rows, unheard }: Gathered): Gathered {
  return { rows: rows.map((row) => ({ ...row, bytes: FORGED })), unheard }
}

/** The simulator's signatures are blank, which packs better than real ones. */
function weighed(gathered: Gathered) {
  const rows = gathered.rows.map((row) => ({ ...row, signature: new Uint8Array(randomBytes(64)) }))
  const packed = pack({ ...gathered, rows })
  return { bytes: packed.bytes.length, rows: gathered.rows.slice(0, packed.rows.length) }
}

/** With real keys on this machine: what the aggregator does beside waiting, processor time. */
async function checkingMs(random: () => number): Promise<number> {
  const members = await Promise.all(
    Array.from({ length: CHECKED }, async (_, index) => {
      const keys = await keyPairFromSeed(new Uint8Array(randomBytes(32)))
      return { keys, member: { ...simMember(`node-${index}`, ''), peerId: keys.peerId } }
    }),
  )
  const roster = {
    ...{ mesh: 'bench', epoch: 1, previous: '', seed: '', aggregators: [] },
    members: members.map(({ member }) => member),
  }
  const rows = members.map(({ keys, member: { node } }) => {
    const bytes = sampleRow(random)
    return { node, bytes, signature: createKeyring(keys, roster).sign('row', rowPayload('', { node, bytes })) }
  })
  const [first] = members
  if (first === undefined) return 0
  const { verify } = createKeyring(first.keys, roster)
  const before = process.cpuUsage()
  for (const row of rows) verify(row.node, 'row', rowPayload('', row), row.signature)
  const { user, system } = process.cpuUsage(before)
  return ((user + system) / 1_000) * (NODES / CHECKED)
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
