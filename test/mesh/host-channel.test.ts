/** The second channel on real sockets: what a port does, and what it is told to have done. */
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { HostAnswer } from '../../mesh/core/channel.ts'
import { askHost } from '../../mesh/libp2p/host-channel.ts'
import { sampleMember } from './sample-mesh.ts'
import { freePort, frozenListener, listener } from './sockets.ts'

const HOST = '127.0.9.101'
const says = (text: string) => (socket: Socket) => void socket.on('data', () => socket.end(text))
const saysNothing = () => {}

/** Asks a host whose agent and kubelet are on these ports; `proves`: whether the agent completes its handshake. */
async function ask(
  ports: { agent: number; kubelet: number },
  proves = true,
  controlPort?: number,
): Promise<HostAnswer> {
  const at = (meshPort: number, kubeletPort: number) =>
    sampleMember('node', 'zone', { hosts: [HOST], meshPort, kubeletPort })
  const control = controlPort === undefined ? undefined : at(controlPort, controlPort)
  return askHost(at(ports.agent, ports.kubelet), control, async () => proves)
}

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
    expect((await ask({ agent: silent, kubelet: silent }, false)).ports).toEqual({ agent: 'mute', kubelet: 'mute' })
  })

  test('that speaks another language, or hangs up, does not prove that a kubelet is alive', async () => {
    const stranger = await listener(HOST, says('SSH-2.0-OpenSSH\r\n'))
    expect((await ask({ agent: stranger, kubelet: stranger }, false)).ports.kubelet).toBe('mute')
    const hangsUp = await listener(HOST, (socket) => socket.destroy())
    expect((await ask({ agent: hangsUp, kubelet: hangsUp }, false)).ports.kubelet).toBe('mute')
  })

  test('of an agent counts as userland only when its enrolled key is proved', async () => {
    const port = await listener(HOST, saysNothing)
    const closed = await freePort(HOST)
    expect((await ask({ agent: port, kubelet: closed }, true)).ports.agent).toBe('userland')
    expect((await ask({ agent: port, kubelet: closed }, false)).ports.agent).toBe('mute')
  })

  test('whose kernel lets further connects run into the void is nothing, as on a dead host', async () => {
    const frozen = await frozenListener(HOST)
    expect((await ask({ agent: frozen, kubelet: frozen })).ports).toEqual({ agent: 'nothing', kubelet: 'nothing' })
  })
})

describe.concurrent('the control connect', () => {
  test('succeeds where somebody listens, and not when there is nobody to try', async () => {
    const closed = await freePort(HOST)
    const other = await listener(HOST, saysNothing)
    expect((await ask({ agent: closed, kubelet: closed }, true, other)).control).toBe(true)
    expect((await ask({ agent: closed, kubelet: closed })).control).toBe(false)
  })

  test('fails where nobody answers, whatever the host itself does', async () => {
    const closed = await freePort(HOST)
    const frozen = await frozenListener(HOST)
    expect((await ask({ agent: closed, kubelet: closed }, true, closed)).control).toBe(false)
    expect((await ask({ agent: closed, kubelet: closed }, true, frozen)).control).toBe(false)
  })
})
