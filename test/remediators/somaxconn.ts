/**
 * Run in a network namespace of its own: lets the real detector find the real kernel parameter net.core.somaxconn, has
 * the fix approved, and prints what happened as JSON. The first argument is the state folder, the second the value to want.
 */
import { readFile } from 'node:fs/promises'
import type { Finding } from '../../detectors/contract.ts'
import { startDetectors } from '../../detectors/engine/engine.ts'
import { createHost } from '../../detectors/host/host.ts'
import { kernelParams } from '../../detectors/kernel-params.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { type RemediationRoom, startRemediation } from '../../remediators/run.ts'
import { decisionFor, permitFor, TRAITS } from './parts.ts'

const [stateDir = '', wanted = ''] = process.argv.slice(2)
const stop = new AbortController()
const said: Remediation[] = []
const { promise: ended, resolve: end } = Promise.withResolvers<void>()
const value = async () => (await readFile('/proc/sys/net/core/somaxconn', 'utf8')).trim()

const before = await value()
const host = createHost({ node: 'node-7', peerOffsets: () => [] })
const room: RemediationRoom = await startRemediation({
  node: 'node-7',
  stateDir,
  host,
  root: '/',
  remediators: builtinRemediators,
  settings: { traits: TRAITS, remediators: { sysctl: { mode: 'approve' } }, policies: [] },
  verify: (detector): Promise<readonly Finding[]> => detectors.runNow(detector),
  announce: (remediation) => {
    said.push(remediation)
    if (remediation.phase === 'awaiting-approval') void room.onDecision(decisionFor(remediation.plan))
    else if (remediation.ended) end()
  },
  ask: ({ nonce }) => {
    const plan = said[0]?.plan
    if (plan !== undefined) void room.onPermit(permitFor(plan, { nonce }))
  },
  around: () => ({ isLed: true, neighbours: undefined }),
})
const detectors = startDetectors({
  host,
  detectors: [kernelParams],
  version: '1.2.3',
  options: { 'kernel-params': { options: { wanted: { 'net.core.somaxconn': wanted } } } },
  onReport: (report) => void room.onReport(report),
  signal: stop.signal,
})
await ended
stop.abort()
await Promise.all([detectors.stopped, room.stop()])
const phases = said.map(({ phase }) => phase)
process.stdout.write(
  JSON.stringify({ before, after: await value(), phases, changes: said[0]?.plan.changes, why: said.at(-1)?.why }),
)
