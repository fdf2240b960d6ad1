/** What a process's TCP connections have sent so far, as the kernel counts it, for the traffic below our own counters. */
import { spawnSync } from 'node:child_process'
import { StarlingError } from '../common/errors.ts'

/** IPv4 (20 bytes) and TCP (20) with timestamps (12), which Linux switches on. Ethernet's 14 come on top. */
const HEADER_BYTES = 52

export interface Sent {
  /** With the headers of IP and TCP, and with what was sent again. */
  readonly bytes: number
  readonly packets: number
}

/** By process, then by connection. */
export type Connections = ReadonlyMap<number, ReadonlyMap<string, Sent>>

/** Those that are open now. Throws StarlingError without `ss`. */
export function openConnections(): Connections {
  const { stdout, status } = spawnSync('ss', ['-HOtinp', 'state', 'established'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new StarlingError('ss does not answer', { remedy: 'install iproute2' })
  const byProcess = new Map<number, Map<string, Sent>>()
  for (const line of stdout.split('\n')) {
    const pid = Number(/pid=(\d+)/.exec(line)?.[1])
    const [, , from, to] = line.trim().split(/\s+/)
    if (Number.isNaN(pid)) continue
    const connections = byProcess.get(pid) ?? new Map<string, Sent>()
    byProcess.set(pid, connections)
    const packets = Number(/segs_out:(\d+)/.exec(line)?.[1] ?? 0)
    const bytes = Number(/bytes_sent:(\d+)/.exec(line)?.[1] ?? 0) + packets * HEADER_BYTES
    connections.set(`${from} ${to}`, { bytes, packets })
  }
  return byProcess
}

/** What went out between two looks, over connections that were open at the second. */
export function sentBetween(before: Connections, after: Connections, pid: number): Sent {
  const sent = { bytes: 0, packets: 0 }
  for (const [connection, { bytes, packets }] of after.get(pid) ?? []) {
    const earlier = before.get(pid)?.get(connection)
    sent.bytes += bytes - (earlier?.bytes ?? 0)
    sent.packets += packets - (earlier?.packets ?? 0)
  }
  return sent
}
