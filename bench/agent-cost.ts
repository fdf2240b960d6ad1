/**
 * What an agent costs its host in steady state: processor time, resident memory and packets as the kernel counts them, and
 * bytes above TCP as the agent's own metrics do. Agents only; stand-ins and the aggregator are left out.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { StarlingError } from '../common/errors.ts'
import { builtinDetectors } from '../detectors/index.ts'
import { defineBench, type Measurement } from './bench.ts'
import { startLocalUp } from './local-up.ts'
import { median } from './statistics.ts'
import { openConnections, sentBetween } from './wire.ts'

/** From the mesh's issue: a full agent, and one that runs no detectors. */
const FULL = { cpuPercent: 1.5, rssMb: 110 }
const MESH_ONLY = { cpuPercent: 1, rssMb: 95 }
const BYTES_PER_SECOND = 2_500

/** USER_HZ, which has been 100 on every Linux for decades; the kernel's own clock tick is hidden behind it. */
const TICKS_PER_SECOND = 100

interface Sample {
  readonly atMs: number
  readonly cpuSeconds: number
  readonly rssMb: number
  readonly sent: number
  readonly received: number
}

export const agentCost = defineBench({
  name: 'agent-cost',
  summary: 'processor time, memory and traffic of an agent in steady state',
  options: {
    nodes: { summary: 'size of the mesh', default: 32 },
    seconds: { summary: 'how long is measured', default: 60 },
    // Edges, first reports and just-in-time compilation are over by then, unless the machine is too small for the mesh.
    settle: { summary: 'seconds to wait before, for the start to be over', default: 30 },
    'mesh-only': { summary: 'with all detectors switched off', default: false },
    'from-source': { summary: 'run the sources as they are, not the program built from them', default: false },
    'http-port': { summary: 'port of the aggregator', default: 27780 },
    'mesh-port': { summary: 'port of the mesh; metrics on the next', default: 27790 },
  },
  async run(options, progress) {
    const { nodes, seconds, settle, 'mesh-only': meshOnly, 'from-source': fromSource } = options
    const ports = { httpPort: options['http-port'], meshPort: options['mesh-port'] }
    progress(`starting ${nodes} agents`)
    const mesh = await startLocalUp({ nodes, ...ports, fromSource, settings: meshOnly ? quiet : undefined })
    try {
      await wait(settle * 1_000)
      const agents = agentsOf(mesh.dir)
      const sampleAll = () =>
        Promise.all(agents.map(({ pid, index }) => sampleOf(pid, `127.0.1.${index}`, options['mesh-port'] + 1)))
      const [before, openBefore] = [await sampleAll(), openConnections()]
      progress(`measuring ${agents.length} agents for ${seconds} s`)
      await wait(seconds * 1_000)
      const [after, openAfter] = [await sampleAll(), openConnections()]
      const costs = after.map((end, index) => costBetween(before[index] ?? end, end))
      const wires = agents.map(({ pid }) => sentBetween(openBefore, openAfter, pid))
      const figure = (name: string, unit: string, of: (cost: (typeof costs)[number]) => number): Measurement => {
        return { name, value: median(costs.map(of)), unit }
      }
      const cpu = figure('processor', '% of a core', ({ cpuPercent }) => cpuPercent)
      const rss = figure('resident memory', 'MB', ({ rssMb }) => rssMb)
      const sent = figure('sent above TCP', 'B/s', (cost) => cost.sent)
      const received = figure('received above TCP', 'B/s', (cost) => cost.received)
      const targets = meshOnly ? MESH_ONLY : FULL
      const wire = { name: 'sent with headers', value: median(wires.map(({ bytes }) => bytes)) / seconds, unit: 'B/s' }
      const packets = { name: 'packets sent', value: median(wires.map((each) => each.packets)) / seconds, unit: '/s' }
      const edges = Math.min(10, nodes - 1)
      return {
        settings: { nodes, seconds, settle, meshOnly, fromSource, edges, figures: 'medians over the agents' },
        results: [cpu, rss, sent, received, wire, packets],
        targets: [
          { ...cpu, op: '<=', target: targets.cpuPercent },
          { ...rss, op: '<=', target: targets.rssMb },
          { ...sent, op: '<=', target: BYTES_PER_SECOND },
          { ...received, op: '<=', target: BYTES_PER_SECOND },
        ],
      }
    } finally {
      await mesh.stop()
    }
  },
})

/** Settings under which agents do nothing but watch each other. */
function quiet(dir: string): string {
  const file = join(dir, 'quiet.yaml')
  const detectors = Object.fromEntries(builtinDetectors.map(({ name }) => [name, { enabled: false }]))
  writeFileSync(file, stringify({ version: 1, mesh: 'local', detectors }))
  return file
}

/** The agents' processes, as `starling up` has written them down, with the number in their names and addresses. */
function agentsOf(dir: string): readonly { readonly pid: number; readonly index: number }[] {
  const { pids } = JSON.parse(readFileSync(join(dir, 'up.json'), 'utf8')) as { pids: Record<string, number> }
  return Object.entries(pids).flatMap(([name, pid]) => {
    const index = /^node-(\d+)$/.exec(name)?.[1]
    return index === undefined ? [] : [{ pid, index: Number(index) }]
  })
}

async function sampleOf(pid: number, host: string, metricsPort: number): Promise<Sample> {
  // proc(5): utime and stime are fields 14 and 15; the name in field 2 may hold blanks, so counting starts after it.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  const metrics = await (await fetch(`http://${host}:${metricsPort}/metrics`)).text()
  const bytes = (direction: string) => {
    const line = new RegExp(`^starling_mesh_bytes_total\\{direction="${direction}"\\} (\\d+)`, 'm').exec(metrics)
    if (line === null) throw new StarlingError(`the agent at ${host} counts no bytes ${direction}`)
    return Number(line[1])
  }
  return { atMs: performance.now(), cpuSeconds, rssMb: rssKb / 1_024, sent: bytes('sent'), received: bytes('received') }
}

function costBetween(before: Sample, after: Sample) {
  const seconds = (after.atMs - before.atMs) / 1_000
  return {
    cpuPercent: ((after.cpuSeconds - before.cpuSeconds) / seconds) * 100,
    rssMb: after.rssMb,
    sent: (after.sent - before.sent) / seconds,
    received: (after.received - before.received) / seconds,
  }
}
