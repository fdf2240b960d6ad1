/** Counters of what goes over the edges, the same in agents and aggregators; names as in docs/contracts.md. */
import { Counter, type Registry } from 'prom-client'
import type { Traffic } from './running-node.ts'

/** Registers the counters. What it returns counts one piece of traffic. */
export function countTraffic(registry: Registry): (traffic: Traffic) => void {
  const registers = [registry]
  const messages = new Counter({
    name: 'starling_mesh_messages_total',
    help: 'Messages by kind and direction',
    labelNames: ['kind', 'direction'],
    registers,
  })
  const bytes = new Counter({
    name: 'starling_mesh_bytes_total',
    help: 'Bytes of messages, above TCP, by direction',
    labelNames: ['direction'],
    registers,
  })
  const dropped = new Counter({
    name: 'starling_mesh_dropped_total',
    help: 'What was refused or discarded, by cause',
    labelNames: ['why'],
    registers,
  })
  return (traffic) => {
    if (traffic.kind === 'dropped') {
      dropped.inc({ why: traffic.why })
      return
    }
    messages.inc({ kind: traffic.message, direction: traffic.kind })
    bytes.inc({ direction: traffic.kind }, traffic.bytes)
  }
}
