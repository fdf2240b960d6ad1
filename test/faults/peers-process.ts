/**
 * Real members of a mesh, in one process and in a network namespace of its own, each behind a relay that can be told to be
 * slow. Detectors look at what the first of them measures.
 */
import { connect, createServer, type Socket } from 'node:net'
import { createHost } from '../../detectors/host/host.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { startMeshNode } from '../../mesh/libp2p/mesh-node.ts'
import { Publisher } from '../../node-agent/publisher.ts'
import { foundMesh } from '../mesh/real-mesh.ts'
import { answerQuestions, runHere } from './answers.ts'

const NODES = 5
const RELAY_PORT = 7790
const MESH_PORT = 17_790
/** Four beats a second, each longer than a retransmission takes at least (200 ms). */
const TIMING = { ...DEFAULT_TIMING, beatMs: 250, lateMs: 240 }

/** By node; 0 for those that are not named. */
const delays = new Map<string, number>()
const mesh = await foundMesh(NODES, (index) => {
  return { hosts: [`127.0.9.${index + 1}`], meshPort: RELAY_PORT, zone: 'zone-1' }
})

function relay(node: string, host: string): Promise<void> {
  const pass = (from: Socket, to: Socket) => {
    from.setNoDelay(true)
    from.on('data', (chunk) => void setTimeout(() => to.writable && to.write(chunk), delays.get(node) ?? 0))
    from.once('close', () => to.destroy())
    from.on('error', () => {})
  }
  const server = createServer((near) => {
    const far = connect(MESH_PORT, host)
    pass(near, far)
    pass(far, near)
  })
  return new Promise((resolve) => void server.listen(RELAY_PORT, host, resolve))
}

const publishers = await Promise.all(
  mesh.roster.members.map(async ({ node, serial, hosts: [host = ''] }) => {
    const { keys, certificate } = mesh.enrolled(node)
    const publisher = new Publisher()
    await relay(node, host)
    const running = await startMeshNode({
      identity: { node, keys, certificate, caKey: mesh.ca.publicKey, incarnation: { serial, boot: 1, refutations: 0 } },
      roster: mesh.roster,
      rosterBytes: mesh.signedRoster(),
      listen: { host, port: MESH_PORT },
      timing: TIMING,
      onStatement: () => {},
      onRoster: () => {},
      onDocument: () => {},
      onCommit: () => {},
      onNotice: () => {},
      onTraffic: () => {},
    })
    publisher.start(running)
    return publisher
  }),
)

await answerQuestions(
  (peerOffsets) =>
    createHost({ node: 'node-0001', peerOffsets, peerLinks: () => publishers[0]?.peerLinks('node-0001') ?? [] }),
  async (words) => {
    const [command, node = '', ms] = words
    if (command !== 'delay') return runHere(words)
    delays.set(node, Number(ms))
    return ''
  },
)
