/** About thirty events that lead to the sample's snapshot, causes before effects. */
import type { Event, EventKind } from '../../aggregator/model.ts'
import { PLAN_ID, type TimeOf, VERDICT_ID } from './sample-snapshot.ts'

type Row = readonly [
  offsetSeconds: number,
  id: string,
  kind: EventKind,
  node: string,
  tone: Event['tone'],
  summary: string,
  causedBy?: string,
]

const NODES = [1, 2, 3, 4, 5].map((n) => `node-${n}`)

const ROWS: readonly Row[] = [
  [-3_700, 'started:1', 'started', '', 'info', 'aggregator 0.1.0 started'],
  [-3_690, 'settings:3', 'settings', '', 'info', 'settings version 3 is in force'],
  ...NODES.map((node, index): Row => [-3_600 + index, `joined:${node}`, 'joined', node, 'good', `${node} joined`]),
  [-1_000, 'f:mmc', 'finding', 'node-5', 'bad', 'vm.max_map_count is 65530 and should be 262144'],
  [-999, 'plan:0ldf1x0000aa', 'plan', 'node-5', 'act', 'vm.max_map_count 65530 → 262144 waits for approval', 'f:mmc'],
  [-930, 'decision:old', 'decision', 'node-5', 'good', 'local-token approved sysctl on node-5', 'plan:0ldf1x0000aa'],
  [-920, 'rem:applying', 'remediation', 'node-5', 'info', 'applying vm.max_map_count', 'decision:old'],
  [-900, 'rem:verified', 'remediation', 'node-5', 'good', 'verified: the detector sees 262144', 'rem:applying'],
  [-880, 'f:mmc:ok', 'finding', 'node-5', 'good', 'vm.max_map_count is as wanted', 'rem:verified'],
  [-600, 'f:disk', 'finding', 'node-3', 'bad', '/var is 86 % full'],
  [-400, 's:5', 'suspected', 'node-5', 'info', 'node-1 hears nothing from node-5'],
  [-399, 'u:5', 'unsuspected', 'node-5', 'good', 'node-5 answered node-3', 's:5'],
  [-300, 's:3', 'suspected', 'node-3', 'info', 'node-2 hears nothing from node-3'],
  [-298, 'w:3', 'withheld', 'node-3', 'info', 'no verdict on node-3: its host answers 2 of 3 observers', 's:3'],
  [-297, 'u:3', 'unsuspected', 'node-3', 'good', 'node-3 answers again', 'w:3'],
  [0.4, 's:4:1', 'suspected', 'node-4', 'bad', 'node-1 hears nothing from node-4'],
  [0.5, 's:4:2', 'suspected', 'node-4', 'bad', 'node-2 hears nothing from node-4', 's:4:1'],
  [0.6, 's:4:3', 'suspected', 'node-4', 'bad', 'node-3 hears nothing from node-4', 's:4:1'],
  [1.2, 'c:4', 'candidate', 'node-4', 'bad', 'node-4 has 3 of 3 accusations', 's:4:3'],
  [1.3, 'r:4', 'roll-call', 'node-4', 'info', 'node-1 asks the mesh about node-4', 'c:4'],
  [2, `v:${VERDICT_ID}`, 'verdict', 'node-4', 'bad', 'NodeDown: 3 silent, 0 alive, 1 abstained', 'r:4'],
  [20, 'f:somaxconn', 'finding', 'node-2', 'bad', 'net.core.somaxconn is 128 and should be 4096'],
  [22, `plan:${PLAN_ID}`, 'plan', 'node-2', 'act', '2 sysctls on node-2 wait for approval', 'f:somaxconn'],
  [45, 'f:conntrack', 'finding', 'node-1', 'bad', 'The connection table holds 254,280 of 262,144 entries'],
]

export function sampleEvents(time: TimeOf): readonly Event[] {
  return ROWS.map(([offset, id, kind, node, tone, summary, causedBy]) => ({
    id,
    at: time(offset),
    kind,
    node,
    tone,
    summary,
    causedBy: causedBy ?? '',
    data: {},
  }))
}
