import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { missingForNamespaces, removeLeftovers } from '../../bench/namespaces/namespace.ts'
import { type Heal, Network } from '../../bench/namespaces/network.ts'
import { isRunning, waitFor } from '../e2e/starling.ts'
import { describeReal } from '../real-part.ts'

const LEFT_BEHIND = fileURLToPath(new URL('./left-behind.ts', import.meta.url))

describeReal('a network of namespaces', missingForNamespaces(), () => {
  let network: Network
  beforeAll(() => {
    network = new Network(['a', 'b', 'c'].map((name, index) => ({ name, address: `10.77.0.${index + 1}` })))
  })
  afterAll(() => network?.remove())

  /** Whether a packet and its answer get through; 20 tries, so that losing some is not losing all. */
  const reaches = (from: string, to: string) =>
    network.run(from, process.execPath, '-e', KNOCK, `10.77.0.${'abc'.indexOf(to) + 1}`).then((said) => said === 'yes')
  const picture = async () => {
    const pairs = ['ab', 'ac', 'bc']
    const seen = await Promise.all(pairs.map((pair) => reaches(pair[0] ?? '', pair[1] ?? '')))
    return pairs.filter((_, index) => seen[index])
  }

  it('carries packets until a cable is pulled, and again when it is plugged in', async () => {
    expect(await picture()).toEqual(['ab', 'ac', 'bc'])
    network.pull('c')
    expect(await picture()).toEqual(['ab'])
    network.plug('c')
    expect(await picture()).toEqual(['ab', 'ac', 'bc'])
  })

  it('swallows packets by direction, around one machine, and no more once healed', async () => {
    const rules = async (machine: string) => (await network.run(machine, 'iptables', '--list-rules', 'INPUT')).trim()
    const heals: Heal[] = [await network.swallow('a', 'b'), await network.swallow('c', 'b', 0.25)]
    expect(await rules('b')).toMatch(
      /^-P INPUT ACCEPT\n-A INPUT -s 10\.77\.0\.1\/32 -j DROP\n-A INPUT -s 10\.77\.0\.3\/32 .*--probability 0\.25\d* -j DROP$/,
    )
    expect(await rules('a')).toBe('-P INPUT ACCEPT')
    expect(await picture()).toEqual(expect.not.arrayContaining(['ab']))
    for (const heal of [...heals, ...heals]) await heal()
    heals.push(await network.swallowAround('c'))
    expect(await picture()).toEqual(['ab'])
    for (const heal of heals) await heal()
    for (const machine of ['a', 'b', 'c']) expect([machine, await rules(machine)]).toEqual([machine, '-P INPUT ACCEPT'])
    expect(await picture()).toEqual(['ab', 'ac', 'bc'])
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('leaves nothing behind after %s', async (signal) => {
    const child = spawn(process.execPath, [LEFT_BEHIND], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    const inside = Number(said.toString('utf8'))
    const left = () => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).includes(`starling-${child.pid}-`)
    expect([left(), isRunning(inside)]).toEqual([true, true])
    removeLeftovers()
    expect([left(), isRunning(inside)]).toEqual([true, true])
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    if (signal === 'SIGKILL') expect(removeLeftovers()).toBeGreaterThanOrEqual(3)
    expect(left()).toBe(false)
    await waitFor('the end of what ran in there', () => !isRunning(inside))
  })
})

/** Connects where nobody listens: refused is an answer. */
const KNOCK = `
const socket = require('node:net').connect(9, process.argv[1])
const tell = (said) => { process.stdout.write(said); process.exit() }
socket.once('error', ({ code }) => tell(code === 'ECONNREFUSED' ? 'yes' : 'no'))
setTimeout(() => tell('no'), 2500)
`
