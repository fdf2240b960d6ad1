import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsNetworkNamespace, needsProgram } from '../real-part.ts'
import { found, type Inside, OWN_NETWORK, startInside, untilComparable } from './inside.ts'

/** As fast as one CPU can. What waits to be received counts against the buffer of its socket, so it takes many of them. */
const SEND = `
  use Socket;
  my $to = sockaddr_in(9, inet_aton('192.0.2.2'));
  my @sockets = map { socket(my $s, PF_INET, SOCK_DGRAM, 17); $s } 1..64;
  send($sockets[$_ % 64], 'x', 0, $to) for 1..6000;`
/** Each packet passes all of them, so that receiving takes longer than sending. */
const RULES = 3_000

describeReal(
  'a pair of interfaces in a network of its own',
  needsNetworkNamespace() ?? needsProgram('iptables') ?? needsProgram('perl'),
  () => {
    let inside: Inside
    beforeEach(async () => {
      inside = await startInside(OWN_NETWORK)
      await inside.run('mount', '-t', 'sysfs', 'sys', '/sys')
      await inside.run('ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
      for (const name of ['v0', 'v1']) await inside.run('ip', 'link', 'set', name, 'up')
    })
    afterEach(() => inside.end())
    const handOnTo = (mask: string) => inside.run('sh', '-c', `echo ${mask} > /sys/class/net/v1/queues/rx-0/rps_cpus`)

    it('is found set up otherwise than wanted', async () => {
      const wanted = { v1: { rps_cpus: '1', rps_flow_cnt: 0, tx_queue_len: 1_000 } }
      await handOnTo('1')
      expect(found(await inside.look('nic-cpu', { wanted }))).toEqual([])
      await handOnTo('0')
      expect(found(await inside.look('nic-cpu', { wanted }))).toEqual(['NicQueueDiffers v1'])
      await handOnTo('1')
      await inside.run('ip', 'link', 'set', 'v1', 'txqueuelen', '500')
      expect(found(await inside.look('nic-cpu', { wanted }))).toEqual(['NicQueueDiffers v1'])
    })

    it('makes a CPU drop packets that comes after the sender', async () => {
      const rules = Array.from({ length: RULES }, (_, at) => `-A PREROUTING -s 10.0.${at >> 8}.${at & 255} -j DROP`)
      const table = ['*raw', ...rules, 'COMMIT'].join('\n')
      await inside.run('sh', '-c', 'printf "%s\n" "$1" | iptables-restore', 'sh', table)
      await inside.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'v0')
      const mac = (await inside.run('cat', '/sys/class/net/v1/address')).trim()
      await inside.run('ip', 'neighbour', 'add', '192.0.2.2', 'lladdr', mac, 'dev', 'v0')
      await handOnTo('2')
      const drops = async () => found(await inside.look('nic-cpu')).filter((text) => text === 'SoftnetDrops')
      expect(await drops()).toEqual([])
      await inside.run('taskset', '1', 'perl', '-e', SEND)
      await untilComparable(inside)
      expect(await drops()).toEqual(['SoftnetDrops'])
    })
  },
)
