/**
 * A whole report of a fleet from what its nodes last said: 5,000 nodes and 40 checks, counted, kept in a history on disk, held
 * against the one before, and written as a page. What nodes said comes in as it comes from the mesh, before the time that counts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { Fleet } from '../../aggregator/fleet.ts'
import { Inspections } from '../../aggregator/inspection/inspections.ts'
import type { MemberView, Snapshot } from '../../aggregator/model.ts'
import { openJournal } from '../../aggregator/store/sqlite.ts'
import type { Finding, FindingStatus } from '../../detectors/contract.ts'
import { encodeReport, reportTopic } from '../../detectors/engine/report-note.ts'
import { inspectionPath } from '../../inspection/links.ts'
import { renderHtml } from '../../inspection/render/html.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { seededRandom } from '../../mesh/sim/random.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import type { Progress } from '../bench.ts'
import { median } from '../statistics.ts'
import type { Part, PartOutcome } from './part.ts'

const NODES = 5_000
const CHECKS = 40
const RUNS = 7
const TARGET_S = 1
/** Of checks on nodes: about as many as in the reports that people send each other. */
const BAD_SHARE = 0.005
const BAD: readonly FindingStatus[] = ['error', 'alarm', 'warn', 'warn', 'unknown']
const DOWN_SHARE = 0.01
const ROLES = [['etcd'], ['control-plane'], ['ingress'], ...Array.from({ length: 37 }, () => ['compute'])]
const TTL_MS = 3_600_000

const CHECK_NAMES = Array.from({ length: CHECKS }, (_, index) => `check-${index + 1}`)

export const stateInspection: Part = { name: 'inspection', run: inspectState }

async function inspectState({ seed }: { readonly seed: number }, progress: Progress): Promise<PartOutcome> {
  const dir = mkdtempSync(join(tmpdir(), 'starling-bench-'))
  const journal = openJournal(join(dir, 'history.sqlite'))
  try {
    const random = seededRandom(seed)
    const members = sampleMembers(random)
    const fleet = sampleFleet(members, random)
    progress(`${NODES} nodes have said ${CHECKS} reports each`)
    const inspections = new Inspections({
      snapshot: () => ({ mesh: MESH, members, findings: fleet.findings(performance.now()) }),
      settings: () => SETTINGS,
      fresh: () => undefined,
      store: journal.history,
      record: () => {},
      log: pino({ level: 'silent' }),
    })
    const seconds: number[] = []
    const cpuSeconds: number[] = []
    let bytes = 0
    for (let index = 0; index < RUNS; index++) {
      const begun = performance.now()
      const cpu = process.cpuUsage()
      const run = await inspections.take({ profile: 'all' })
      const deltas = await inspections.deltas(run)
      const options = { language: 'en', zone: 'UTC', link: inspectionPath, ...(deltas && { deltas }) } as const
      bytes = Buffer.byteLength(renderHtml(run, options))
      seconds.push((performance.now() - begun) / 1_000)
      const { user, system } = process.cpuUsage(cpu)
      cpuSeconds.push((user + system) / 1_000_000)
      progress(`${seconds.at(-1)?.toFixed(3)} s, ${run.troubles.length} troubles, ${run.silent.length} silent`)
    }
    return {
      results: [
        { name: 'inspection_median', value: median(seconds), unit: 's' },
        // Of all threads: what it costs on a machine that others use as well.
        { name: 'inspection_cpu_median', value: median(cpuSeconds), unit: 's' },
        { name: 'inspection_page', value: bytes / 1_000, unit: 'kB' },
      ],
      targets: [{ name: 'inspection_slowest', value: Math.max(...seconds), unit: 's', op: '<=', target: TARGET_S }],
    }
  } finally {
    journal.close()
    rmSync(dir, { recursive: true })
  }
}

const MESH: Snapshot['mesh'] = {
  id: 'bench',
  leader: 'aggregator-1',
  epoch: 1,
  version: '',
  frozen: null,
  blind: null,
  hasQuorum: true,
}

const checks = CHECK_NAMES.map((check) => ({ check }))
const SETTINGS: SettingsDocument = {
  version: 1,
  mesh: 'bench',
  inspection: {
    profiles: [
      {
        name: 'all',
        roles: [
          ...['etcd', 'control-plane', 'compute'].map((role) => ({ role, checks })),
          { role: 'rest', of: 'others', checks },
        ],
      },
    ],
  },
}

function sampleMembers(random: () => number): readonly MemberView[] {
  return Array.from({ length: NODES }, (_, index): MemberView => {
    const node = `node-${String(index + 1).padStart(4, '0')}`
    return {
      ...{
        node,
        zone: `zone-${index % 3}`,
        roles: ROLES[index % ROLES.length] ?? [],
        address: '',
        flags: [],
        since: '',
      },
      ...{ incarnation: '', observers: [], coveredBy: [], seenBy: [], missedBy: [], votes: [], needed: null },
      state: random() < DOWN_SHARE ? 'NodeDown' : 'alive',
    }
  })
}

function sampleFleet(members: readonly MemberView[], random: () => number): Fleet {
  const fleet = new Fleet()
  for (const { node } of members) {
    for (const detector of CHECK_NAMES) {
      const status: FindingStatus = random() < BAD_SHARE ? (BAD[Math.floor(random() * BAD.length)] ?? 'warn') : 'ok'
      const bytes = encodeReport([sampleFinding(node, detector, status)])
      const body = { kind: 'note', topic: reportTopic(detector), bytes }
      fleet.hear(performance.now(), { statement: { signer: node, body } } as unknown as SignedStatement)
    }
  }
  return fleet
}

function sampleFinding(node: string, detector: string, status: FindingStatus): Finding {
  const at = '2026-11-21T00:00:00.000Z'
  const reason = status === 'ok' ? 'Ok' : 'SomethingIsWrong'
  const summary = status === 'ok' ? '' : `${detector} of ${node} is beyond its limit: 91.2 % of 262,144`
  return {
    ...{ id: `${node}/${detector}/${reason}/#${at}`, node, detector, reason, cause: '', status, summary, evidence: [] },
    ...{ since: at, observedAt: at, ttlMs: TTL_MS },
  }
}
