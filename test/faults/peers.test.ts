import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { describeReal, needsNetworkNamespace } from '../real-part.ts'
import { found, type Inside, insideOf } from './inside.ts'

const PROGRAM = fileURLToPath(new URL('./peers-process.ts', import.meta.url))
const NODES = [1, 2, 3, 4, 5].map((number) => `node-000${number}`)
/** All of them share one process here, on a machine that may be busy: what is slow must be slow beyond that. */
const OPTIONS = { 'peer-latency': { near: '100ms' }, 'peer-loss': {} }
const DELAY_MS = 80
const PATIENCE = { timeout: 60_000, interval: 500 }

/** Both ways of the edges to this address, or to all. */
const lossy = (inside: Inside, action: '-A' | '-D', ...address: readonly string[]) =>
  Promise.all(
    ['--dport', '--sport'].map((port) => {
      const side = address.length === 0 ? [] : [port === '--dport' ? '-d' : '-s', ...address]
      const random = ['-m', 'statistic', '--mode', 'random', '--probability', '0.3']
      return inside.run('iptables', '-w', action, 'INPUT', ...side, '-p', 'tcp', port, '7790', ...random, '-j', 'DROP')
    }),
  )
const delay = async (inside: Inside, ms: number, ...nodes: readonly string[]) => {
  for (const node of nodes) await inside.run('delay', node, String(ms))
}

describeReal('links of a real mesh', needsNetworkNamespace(), () => {
  it('are found slow and lossy, of the one peer that is at fault or of this side', async () => {
    const apart = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$1"', process.execPath, PROGRAM]
    const inside = insideOf(spawn(apart[0] ?? '', apart.slice(1), { stdio: 'pipe' }))
    const sees = (detector: keyof typeof OPTIONS) =>
      expect.poll(async () => found(await inside.look(detector, OPTIONS[detector])), PATIENCE)
    try {
      await sees('peer-loss').toEqual([])
      await sees('peer-latency').toEqual([])

      await delay(inside, DELAY_MS, 'node-0004')
      await lossy(inside, '-A', '127.0.9.5')
      await sees('peer-latency').toEqual(['PeerSlow node-0004'])
      await sees('peer-loss').toEqual(['PeerLossy node-0005'])
      await lossy(inside, '-D', '127.0.9.5')

      await delay(inside, DELAY_MS, ...NODES)
      await sees('peer-latency').toEqual(['PeersSlow'])
      await delay(inside, 0, ...NODES)
      await lossy(inside, '-A')
      await sees('peer-loss').toEqual(['PeersLossy'])
    } finally {
      await inside.end()
    }
  }, 300_000)
})
