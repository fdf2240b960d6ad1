/** The second channel on real sockets: what a port does, and what it is told to have done. */
import type { Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HostAnswer } from '../../mesh/core/channel.ts'
import type { Member } from '../../mesh/core/model.ts'
import { createHostChannel, type Proof } from '../../mesh/libp2p/host-channel.ts'
import { createTransport, type Transport } from '../../mesh/libp2p/transport.ts'
import { type ControlScene, conformsAsHostChannel, type HostScene } from './host-channel-conformance.ts'
import { keysNamed } from './real-mesh.ts'
import { FIRST_LIFE, sampleMember } from './sample-mesh.ts'
import { freePort, frozenListener, listener, stoppedListener } from './sockets.ts'

const HOST = '127.0.9.101'
/** Any length that asks of this file do not fill. */
const ROOM = 511

const says = (text: string) => (socket: Socket) => void socket.on('data', () => socket.end(text))
const saysNothing = () => {}
const ANSWERS_HTTP = says('HTTP/1.1 401 Unauthorized\r\n\r\n')

type Ports = { readonly agent: number; readonly kubelet: number }

const at = ({ agent, kubelet }: Ports, parts: Partial<Member> = {}) =>
  sampleMember('node', 'zone', { hosts: [HOST], meshPort: agent, kubeletPort: kubelet, ...parts })

/** Asks a host whose agent and kubelet are on these ports; `proof`: who completes the agent's handshake. */
function ask(ports: Ports, proof: Proof = 'own'): Promise<HostAnswer> {
  return new Promise((answered) =>
    createHostChannel(async () => proof).ask(at(ports), [], { accepted: () => {}, answered }),
  )
}

/** Agents, each with the key of its name, which take anybody for a member. */
const agents = new Map<string, { readonly transport: Transport; readonly port: number; readonly peerId: string }>()

beforeAll(async () => {
  for (const name of ['asking', 'asked', 'stranger']) {
    const keys = await keysNamed(name)
    const port = await freePort(HOST)
    const transport = await createTransport({
      keys,
      listen: { host: HOST, port },
      memberOf: (peerId) => sampleMember(peerId),
      hello: () => new Uint8Array(),
      readHello: () => FIRST_LIFE,
      onOpened: () => {},
      onClosed: () => {},
      onFrame: () => {},
      answer: async () => new Uint8Array(),
      onDropped: () => {},
    })
    agents.set(name, { transport, port, peerId: keys.peerId })
  }
})
afterAll(async () => {
  await Promise.all([...agents.values()].map(({ transport }) => transport.stop()))
})

function agentNamed(name: string) {
  const agent = agents.get(name)
  if (agent === undefined) throw new Error(`there is no agent ${name}`)
  return agent
}

const PORT_OF_AGENT: Readonly<Record<HostScene, () => number | Promise<number>>> = {
  up: () => agentNamed('asked').port,
  strange: () => agentNamed('stranger').port,
  agentDead: () => freePort(HOST),
  // What a firewall swallows and what a full queue swallows look the same from here.
  agentDeadBehindDrop: () => frozenListener(HOST),
  agentHung: () => stoppedListener(HOST, ROOM),
  hung: () => stoppedListener(HOST, ROOM),
  silent: () => frozenListener(HOST),
}

const PORT_OF_CONTROL: Readonly<Record<ControlScene, () => Promise<number>>> = {
  reachable: () => listener(HOST, saysNothing),
  refusing: () => freePort(HOST),
  silent: () => frozenListener(HOST),
}

async function portOfKubelet(host: HostScene): Promise<number> {
  if (host === 'hung') return stoppedListener(HOST, ROOM)
  return host === 'silent' ? frozenListener(HOST) : listener(HOST, ANSWERS_HTTP)
}

conformsAsHostChannel('the channel on sockets', async (host, controls) => {
  const ports = { agent: await PORT_OF_AGENT[host](), kubelet: await portOfKubelet(host) }
  const others = await Promise.all(
    controls.map(async (control) => at({ agent: await PORT_OF_CONTROL[control](), kubelet: 1 })),
  )
  const { peerId } = agentNamed('asked')
  // A name of its own: proofs of one member come one after another.
  const subject = at(ports, { node: `${host} ${controls}`, peerId })
  const channel = createHostChannel(agentNamed('asking').transport.prove)
  return new Promise((answered) => channel.ask(subject, others, { accepted: () => {}, answered }))
})

describe.concurrent('a port', () => {
  test('that answers HTTP, with any status, is userland', async () => {
    const closed = await freePort(HOST)
    for (const status of ['200 OK', '400 Bad Request', '503 Service Unavailable']) {
      const kubelet = await listener(HOST, says(`HTTP/1.1 ${status}\r\n\r\n`))
      expect((await ask({ agent: closed, kubelet })).ports).toEqual({ agent: 'refused', kubelet: 'userland' })
    }
  })

  test('on which nothing listens is refused', async () => {
    const closed = await freePort(HOST)
    expect((await ask({ agent: closed, kubelet: closed })).ports).toEqual({ agent: 'refused', kubelet: 'refused' })
  })

  test('that accepts and never answers is mute', async () => {
    const silent = await listener(HOST, saysNothing)
    expect((await ask({ agent: silent, kubelet: silent }, 'nobody')).ports).toEqual({ agent: 'mute', kubelet: 'mute' })
  })

  test('that speaks another language, or hangs up, does not prove that a kubelet is alive', async () => {
    const stranger = await listener(HOST, says('SSH-2.0-OpenSSH\r\n'))
    expect((await ask({ agent: stranger, kubelet: stranger }, 'nobody')).ports.kubelet).toBe('mute')
    const hangsUp = await listener(HOST, (socket) => socket.destroy())
    expect((await ask({ agent: hangsUp, kubelet: hangsUp }, 'nobody')).ports.kubelet).toBe('mute')
  })

  test('of an agent counts as userland only when its enrolled key is proved', async () => {
    const port = await listener(HOST, saysNothing)
    const closed = await freePort(HOST)
    expect((await ask({ agent: port, kubelet: closed }, 'own')).ports.agent).toBe('userland')
    expect((await ask({ agent: port, kubelet: closed }, 'nobody')).ports.agent).toBe('mute')
  })
})
