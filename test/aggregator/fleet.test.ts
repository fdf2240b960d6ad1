/** What the aggregator holds of the nodes' findings, and for how long. */
import { beforeEach, describe, expect, it } from 'vitest'
import { Fleet } from '../../aggregator/fleet.ts'
import { InheritedFindings } from '../../aggregator/kubernetes/inherited.ts'
import { formatEvidence } from '../../aggregator/kubernetes/marking/evidence.ts'
import { OWN_CONDITION } from '../../aggregator/kubernetes/marking/node-marks.ts'
import type { NodeObject } from '../../aggregator/kubernetes/marking/objects.ts'
import type { Finding } from '../../detectors/contract.ts'
import { encodeReport, reportTopic } from '../../detectors/engine/report-note.ts'
import type { SignedStatement } from '../../mesh/core/model.ts'
import { encodeNote, remediationTopic } from '../../remediators/notes.ts'
import { hashPlan, planIdOf } from '../../remediators/plan.ts'
import { createSamplePort } from './sample-port.ts'

const TTL_MS = 45_000

const finding = (status: Finding['status'], reason: string): Finding => ({
  id: `a/conntrack/${reason}/#2026-01-01T00:00:00.000Z`,
  node: 'a',
  detector: 'conntrack',
  reason,
  cause: '',
  status,
  summary: '90 % of the table is used',
  evidence: [],
  since: '2026-01-01T00:00:00.000Z',
  // Of a clock that is years off: nobody measures by it.
  observedAt: '1999-01-01T00:00:00.000Z',
  ttlMs: TTL_MS,
  version: '1.2.3',
})

function note(...findings: readonly Finding[]): SignedStatement {
  const topic = reportTopic(findings[0]?.detector ?? 'conntrack')
  const body = { kind: 'note', topic, bytes: encodeReport(findings) } as const
  return { statement: { signer: 'a', serial: 1, boot: 1, seq: 1, ttlMs: TTL_MS, body }, signature: new Uint8Array() }
}

let fleet: Fleet
beforeEach(() => {
  fleet = new Fleet()
})
const held = (nowMs: number) => fleet.findings(nowMs).map(({ status, reason }) => [status, reason])

describe('findings that are not renewed', () => {
  it.each(['ok', 'alarm', 'not-applicable', 'info'] as const)(
    'of status %s are unknown after their time, by the clock of whoever heard them, and do not vanish',
    (status) => {
      fleet.hear(1_000, note(finding(status, 'Any')))
      expect(held(1_000 + TTL_MS)).toEqual([[status, 'Any']])
      expect(held(1_001 + TTL_MS)).toEqual([['unknown', 'Expired']])
      expect(held(1e12)).toEqual([['unknown', 'Expired']])
    },
  )

  it('keep their id, their beginning and what was last known', () => {
    fleet.hear(0, note(finding('alarm', 'ConntrackAlmostFull')))
    expect(fleet.findingsOf('a', TTL_MS + 1)).toEqual([
      {
        ...finding('alarm', 'ConntrackAlmostFull'),
        status: 'unknown',
        reason: 'Expired',
        summary: 'No report since. Last known: 90 % of the table is used',
      },
    ])
  })

  it('are as they are said again', () => {
    fleet.hear(0, note(finding('alarm', 'ConntrackAlmostFull')))
    fleet.hear(2 * TTL_MS, note(finding('ok', 'Ok')))
    expect(held(2 * TTL_MS)).toEqual([['ok', 'Ok']])
  })

  it('are taken back by a detector that is switched off', () => {
    fleet.hear(0, note(finding('ok', 'Ok')))
    fleet.hear(1, note())
    expect(held(1e12)).toEqual([])
  })
})

it('are of so many detectors of a node at the most, however many it makes up', () => {
  const made = (index: number) => note({ ...finding('ok', 'Ok'), detector: `made-up-${index}` })
  for (let index = 0; index < 512; index++) fleet.hear(0, made(index))
  expect(() => fleet.hear(0, made(512))).toThrow('over 512 reports')
  expect(fleet.findings(0)).toHaveLength(512)
  fleet.hear(0, made(0))
})

it('plans of a node that wait are so many at the most, and leave those of others alone', () => {
  const [sample] = createSamplePort().snapshot().remediations
  const says = (node: string, what: string): SignedStatement => {
    if (sample === undefined) throw new Error('no plan')
    const changes = [{ what, before: '1', after: '2', undo: 'back' }]
    const content = { ...sample.plan, node, changes, evidenceHash: 'ab'.repeat(32) }
    const named = { ...content, id: planIdOf(content) }
    const plan = { ...named, planHash: hashPlan(named) }
    const bytes = encodeNote({ ...sample, phase: 'awaiting-approval', plan })
    const body = { kind: 'note', topic: remediationTopic(plan.id), bytes } as const
    return { statement: { signer: node, serial: 1, boot: 1, seq: 1, ttlMs: 1, body }, signature: new Uint8Array() }
  }
  fleet.hear(0, says('b', 'any'))
  for (let index = 0; index < 200; index++) fleet.hear(0, says('a', `made up ${index}`))
  const nodes = fleet.remediations().map(({ plan }) => plan.node)
  expect([nodes.length, nodes.filter((node) => node === 'b')]).toEqual([65, ['b']])
})

describe('findings of an earlier life of the aggregator', () => {
  it('are unknown until they are said again, however well they were', () => {
    fleet.recall(note(finding('ok', 'Ok')))
    expect(held(0)).toEqual([['unknown', 'Expired']])
    fleet.hear(0, note(finding('ok', 'Ok')))
    expect(held(0)).toEqual([['ok', 'Ok']])
  })

  it('do not undo the marks on a Node, for which the Node speaks until the agent does', () => {
    const inherited = new InheritedFindings(() => 0)
    const message = 'ConntrackAlmostFull: 90 % of the table is used'
    const node = markedNode(finding('alarm', 'ConntrackAlmostFull').id, message)
    inherited.saw([node])
    fleet.recall(note(finding('alarm', 'ConntrackAlmostFull')))
    const statuses = () => inherited.of('a', fleet.findingsOf('a', 0)).map(({ status }) => status)
    expect(statuses()).toEqual(['unknown', 'alarm'])
    fleet.hear(0, note(finding('ok', 'Ok')))
    expect(statuses()).toEqual(['ok'])
  })
})

/** A Node that shows our condition for a finding. */
function markedNode(id: string, says: string): NodeObject {
  const message = formatEvidence({ says, id, term: 3, until: '2026-01-01T01:00:00Z' })
  const condition = { type: OWN_CONDITION, status: 'False', reason: 'FindingAlarm', message }
  return { metadata: { name: 'a', uid: 'u', resourceVersion: '1' }, status: { conditions: [condition] } } as NodeObject
}
