import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsNetworkNamespace, needsProgram } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside } from './inside.ts'

/** Sends `count` packets of UDP over the loopback interface, from a port of its own each, to one port, or for 0 to as many. */
const SEND = `
  const { createSocket } = require('node:dgram')
  const [to, count] = process.argv.slice(1).map(Number)
  let open = count
  for (let at = 0; at < count; at++) {
    const socket = createSocket('udp4')
    socket.send('x', to === 0 ? 20000 + at : to, '127.0.0.1', () => { socket.close(); if (--open === 0) process.exit() })
  }`

describeReal('connection tracking of a network of its own', needsNetworkNamespace() ?? needsProgram('iptables'), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside(OWN_NETWORK)
    await inside.run('ip', 'link', 'set', 'lo', 'up')
    // Tracking begins with the first rule that asks for it.
    await inside.run('iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP')
  })
  afterEach(() => inside.end())
  /** Counters of two looks less than 5 s apart are not compared. */
  const untilComparable = async () => {
    const uptime = async () => Number.parseFloat(await inside.run('cat', '/proc/uptime'))
    const from = await uptime()
    await vi.waitFor(async () => expect(await uptime()).toBeGreaterThan(from + 5), { timeout: 20_000, interval: 500 })
  }
  const send = (to: number, count: number) => inside.run(process.execPath, '-e', SEND, String(to), String(count))

  it('is found filling when entries are added, by a threshold that a test can reach', async () => {
    const options = { warnRatio: 0.0005, alarmRatio: 0.001 }
    expect(found(await inside.look('conntrack', options))).toEqual([])
    const max = Number(await inside.run('cat', '/proc/sys/net/netfilter/nf_conntrack_max'))
    await send(0, Math.ceil(max * 0.0011))
    expect(found(await inside.look('conntrack', options))).toEqual(['ConntrackFilling', 'ConntrackAlmostFull'])
  })

  it('is found losing packets when connections come out of NAT alike', async () => {
    await inside.run(
      ...['iptables', '-t', 'nat', '-A', 'POSTROUTING', '-p', 'udp', '--dport', '9999'],
      ...['-j', 'SNAT', '--to-source', '127.0.0.1:4000'],
    )
    expect(found(await inside.look('conntrack-drops'))).toEqual([])
    await send(9_999, 200)
    await untilComparable()
    expect(found(await inside.look('conntrack-drops'))).toEqual(['ConntrackDrops', 'ConntrackDropsMany'])
  })
})
