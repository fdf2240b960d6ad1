/**
 * One life of a node's remediation on a host that is a folder, with a leader that permits everything. As a program, with the
 * folder, whether the fix helps, and a number: it kills itself with SIGKILL at that boundary, of all before and after each
 * save and each effect, counted from 0.
 */
import { randomUUID } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createHost } from '../../detectors/host/host.ts'
import type { Remediation } from '../../remediators/contract.ts'
import { ownHands } from '../../remediators/hands.ts'
import { type RemediationRoom, startRemediation } from '../../remediators/run.ts'
import { createFixStore } from '../../remediators/store.ts'
import { differs, NODE, ok, permitFor, policyFor, sysctl, TRAITS } from './parts.ts'

const LIVES_MS_MAX = 20_000

export interface Life {
  /** With `host/proc/sys/vm/swappiness`; the state, and `applied`, a line for each permit by which it was applied, are made. */
  readonly folder: string
  /** Whether the fault is gone once the value is right. */
  readonly helps: boolean
  readonly boundary: () => void
}

/** Until the fix has ended for good; returns as what. Throws when it does not come to that. */
export async function live({ folder, helps, boundary }: Life): Promise<Remediation> {
  const root = join(folder, 'host')
  const host = createHost({ node: NODE, root, peerOffsets: () => [] })
  const value = () => readFileSync(join(root, 'proc/sys/vm/swappiness'), 'utf8').trim()
  const finding = () => (helps && value() === '10' ? ok : differs())
  const between = async <T>(act: () => Promise<T>): Promise<T> => {
    boundary()
    const done = await act()
    boundary()
    return done
  }
  const store = createFixStore(join(folder, 'state'))
  const hands = ownHands({ host, root, remediators: [sysctl] })
  const room: RemediationRoom = await startRemediation({
    node: NODE,
    stateDir: join(folder, 'state'),
    host,
    root,
    remediators: [sysctl],
    settings: { traits: TRAITS, remediators: {}, policies: [policyFor()] },
    store: { load: store.load, save: (state) => between(() => store.save(state)) },
    hands: {
      apply: (plan, permit, limitMs) =>
        between(() => {
          appendFileSync(join(folder, 'applied'), `${permit?.id}\n`)
          return hands.apply(plan, permit, limitMs)
        }),
      revert: (plan, limitMs) => between(() => hands.revert(plan, limitMs)),
    },
    collect: () => between(async () => 'nowhere'),
    verify: () => between(async () => [finding()]),
    announce: () => boundary(),
    ask: ({ planId, nonce }) => {
      boundary()
      const plan = room.list().find((one) => one.plan.id === planId)?.plan
      if (plan !== undefined) void room.onPermit(permitFor(plan, { id: randomUUID(), nonce }))
    },
    around: () => ({ isLed: true, neighbours: undefined }),
  })
  try {
    for (const until = performance.now() + LIVES_MS_MAX; performance.now() < until; await wait(10)) {
      await room.onReport({ detector: 'kernel-params', findings: [finding()] })
      const last = room.list().at(-1)
      if (last?.phase === 'verified' || last?.phase === 'escalated') return last
    }
    throw new Error(`the fix did not end: ${JSON.stringify(room.list())}`)
  } finally {
    await room.stop()
  }
}

if (import.meta.main) {
  const [folder = '', helps, killAt] = process.argv.slice(2)
  let left = Number(killAt)
  const boundary = () => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL')
  }
  await live({ folder, helps: helps === 'helps', boundary })
}
