/**
 * A mesh of real nodes that nobody leads: what neighbours say of their faults decides whether a node mends its own by itself.
 * Its clock of fixes goes a minute further with each look, so that waits of minutes need none.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { silentLog } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { FixNotes } from '../../node-agent/fix-notes.ts'
import { Neighbours } from '../../node-agent/neighbours.ts'
import { Publisher } from '../../node-agent/publisher.ts'
import { type RemediationRoom, startRemediation } from '../../remediators/run.ts'
import { foundOnLoopback, type LiveNode, live } from '../mesh/live-mesh.ts'
import { nodeName } from '../mesh/sample-mesh.ts'
import { PATIENCE } from '../mesh/sockets.ts'
import { at, differs, ok, policyFor, sysctl, TRAITS } from './parts.ts'

const NODES = [0, 1, 2, 3, 4].map(nodeName)
const [ME = '', ...OTHERS] = NODES
const REASON = differs().reason
const LOOK_MS = 60_000
/** Three unanswered requests and the longest wait take some 14 looks. */
const LOOKS = 40
const TELL_EVERY_MS = 10_000

let folder: string
let room: RemediationRoom
let asked = 0
const phases: string[] = []
const agents = new Map<string, { readonly live: LiveNode; readonly neighbours: Neighbours; said: number }>()

const host = () => join(folder, 'host')
const swappiness = () => join(host(), 'proc/sys/vm/swappiness')
const value = async () => (await readFile(swappiness(), 'utf8')).trim()
const known = () => agents.get(ME)?.neighbours.faults(performance.now())

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starling-cut-off-'))
  await mkdir(join(host(), 'proc/sys/vm'), { recursive: true })
  await writeFile(swappiness(), '60\n')
  const mesh = await foundOnLoopback(NODES.length, 150)
  await Promise.all(NODES.map(startNode))
  const publisher = new Publisher()
  const me = agents.get(ME)
  if (me === undefined) throw new Error(`${ME} does not run`)
  publisher.start(me.live.node)
  const notes = new FixNotes(ME, publisher, silentLog)
  let passedMs = 0
  room = await startRemediation({
    node: ME,
    stateDir: join(folder, 'state'),
    host: createHost({ node: ME, root: host(), peerOffsets: () => [] }),
    root: host(),
    remediators: [sysctl],
    settings: { traits: { ...TRAITS, node: ME }, remediators: {}, policies: [policyFor()] },
    verify: async () => [own((await value()) === '10' ? ok : differs())],
    announce: ({ phase }) => phases.push(phase),
    ask: (request) => {
      asked++
      notes.ask(request)
    },
    around: () => {
      if (!phases.includes('permitted')) passedMs += LOOK_MS
      return { isLed: notes.isLed, neighbours: known() }
    },
    now: () => at(passedMs + performance.now()),
  })

  async function startNode(name: string): Promise<void> {
    const publisher = new Publisher()
    const neighbours = new Neighbours(publisher)
    const node = await live(mesh, name, (signed) => neighbours.hear(signed, performance.now()))
    publisher.start(node.node)
    agents.set(name, { live: node, neighbours, said: 0 })
  }
})
afterAll(async () => {
  await room.stop()
  await rm(folder, { recursive: true })
})

const own = (finding: Finding): Finding => ({ ...finding, node: ME })

/** As its agent does each second; what it said before is not said again within ten. */
function says(node: string, finding: Finding): void {
  const agent = agents.get(node)
  if (agent === undefined) throw new Error(`${node} does not run`)
  agent.neighbours.tell([finding], agent.said++ * TELL_EVERY_MS)
}

async function looks(isDone: () => boolean): Promise<void> {
  for (let look = 0; look < LOOKS && !isDone(); look++) {
    await room.onReport({ detector: 'kernel-params', findings: [own(differs())] })
  }
}

it('waits while it knows nobody, or three have the fault, and mends its own by itself once only two have', async () => {
  expect(known()).toBeUndefined()
  await looks(() => false)
  expect([asked >= 3, phases]).toEqual([true, ['proposed']])

  for (const other of OTHERS) says(other, other === OTHERS[0] ? ok : differs())
  await vi.waitFor(() => expect(known()).toEqual(new Map([[REASON, 3]])), PATIENCE)
  await looks(() => false)
  expect(phases).toEqual(['proposed'])

  says(OTHERS[1] ?? '', ok)
  await vi.waitFor(() => expect(known()?.get(REASON)).toBe(2), PATIENCE)
  await looks(() => phases.includes('permitted'))
  await vi.waitFor(() => expect(phases.at(-1)).toBe('verified'), PATIENCE)
  expect(phases).toEqual(['proposed', 'permitted', 'applying', 'verifying', 'verified'])
  expect(await value()).toBe('10')
})

it('knows nobody again when its neighbours are gone', async () => {
  await Promise.all(OTHERS.slice(0, 2).map((node) => agents.get(node)?.live.node.stop()))
  await vi.waitFor(() => expect(known()).toBeUndefined(), PATIENCE)
})
