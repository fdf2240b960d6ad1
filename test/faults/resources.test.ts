/** What a host runs out of, run out of on the real kernel, in cgroups and limits that keep it from everybody else. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { describeReal, needsLinux } from '../real-part.ts'
import { ControlGroups, FROZEN_LOOK_STUCK, needsControlGroups } from './control-groups.ts'
import { found, type Inside, OWN_MOUNTS, startInside } from './inside.ts'

const patiently = { timeout: 60_000, interval: 500 }

/** Looks again and again, as the engine does, until it finds what is expected. */
async function untilFound(inside: Inside, detector: string, options: unknown, expected: unknown): Promise<void> {
  await vi.waitFor(async () => expect(found(await inside.look(detector, options))).toEqual(expected), patiently)
}

const children: ChildProcess[] = []

/** Starts a program that is ended with the test, and with everything that it started. */
function start(command: readonly string[]): ChildProcess {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  children.push(child)
  return child
}

async function endAll(): Promise<void> {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) continue
    const ended = once(child, 'exit')
    process.kill(-child.pid, 'SIGKILL')
    await ended
  }
}

describeReal('memory, load and pressure of the host', needsLinux(), () => {
  let inside: Inside
  beforeEach(async () => {
    inside = await startInside([])
  })
  afterEach(async () => {
    await endAll()
    await inside.end()
  })

  it('finds memory in use, and given back', async () => {
    const field = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
    const total = field('MemTotal')
    // Half of what is about to be taken, so that what others do meanwhile does not matter.
    const warnRatio = (total - field('MemAvailable') + 256 * 1024) / total
    const options = { warnRatio, alarmRatio: 1 }
    await untilFound(inside, 'memory', options, [])
    start([process.execPath, '-e', 'globalThis.held = Buffer.alloc(512 * 2 ** 20, 1); setInterval(() => {}, 1000)'])
    await untilFound(inside, 'memory', options, ['MemoryLow'])
    await endAll()
    await untilFound(inside, 'memory', options, [])
  })

  it('finds the load of tasks that want to run, and the pressure that they make', async () => {
    const processors = readFileSync('/proc/stat', 'utf8').match(/^cpu\d/gm)?.length ?? 1
    const load = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[1])
    const stalls = Number(/avg300=([\d.]+)/.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1])
    // They take only what nobody else wants, so nothing waits for them; the kernel counts them all the same.
    start(['stress-ng', '--cpu', '120', '--sched', 'idle', '--timeout', '60', '--quiet'])
    await untilFound(inside, 'load', { warnPerCpu: (load + 2) / processors, alarmPerCpu: 1_000 }, ['LoadHigh'])
    const cpu = { warn: Math.min(98, stalls + 0.5), alarm: 99 }
    await untilFound(inside, 'psi', { cpu, memory: { warn: 99, alarm: 100 }, io: { warn: 99, alarm: 100 } }, [
      'CpuStalls',
    ])
  })
})

describeReal('limits of a cgroup and of a process', needsControlGroups('memory') ?? needsControlGroups('pids'), () => {
  let inside: Inside
  let groups: ControlGroups
  /** Runs a shell script in a group of this test. */
  const within = (script: string) => ['sh', '-c', `${groups.within(groups.top)}; ${script}`] as const
  beforeEach(async () => {
    groups = new ControlGroups('starling-limits')
    inside = await startInside(OWN_MOUNTS)
  })
  afterEach(async () => {
    await endAll()
    await inside.end()
    await groups.remove()
  })

  it('finds the numbers of a cgroup used up, and free again', async () => {
    groups.set(groups.top, 'pids.max', 20)
    const name = groups.top.slice(1)
    const options = { cgroups: [name] }
    await untilFound(inside, 'pid-max', options, [])
    start(within('for i in $(seq 18); do sleep 300 & done; wait'))
    await untilFound(inside, 'pid-max', options, [`PidsLow ${name}`, `PidsExhausted ${name}`])
    await endAll()
    await untilFound(inside, 'pid-max', options, [])
  })

  it('finds a process at its limit of open files', async () => {
    const fill = 'ulimit -n 32; for i in $(seq 3 28); do eval "exec $i</dev/null"; done; exec -a etcd sleep 300'
    await inside.run('bash', '-c', `bash -c '${fill}' >/dev/null 2>&1 &`)
    await untilFound(inside, 'file-handles', {}, ['FilesLow etcd', 'FilesExhausted etcd'])
    await inside.run('pkill', '-x', '-f', 'etcd 300')
    await untilFound(inside, 'file-handles', {}, [])
  })

  it('finds zombies that their parent does not bury', async () => {
    // A shell buries its children; what it becomes, before they end, does not know of them.
    await untilFound(inside, 'process-count', {}, [])
    await inside.run(
      'bash',
      '-c',
      `bash -c 'for i in $(seq 25); do sleep 1 & done; exec -a parent sleep 300' >/dev/null 2>&1 &`,
    )
    await untilFound(inside, 'process-count', {}, ['ZombiesMany'])
  })

  it.runIf(FROZEN_LOOK_STUCK)('finds processes that wait and cannot be killed', async () => {
    await inside.run(...within('for i in $(seq 12); do sleep 300 >/dev/null 2>&1 & done'))
    groups.set(groups.top, 'freezer.state', 'FROZEN')
    await untilFound(inside, 'process-count', {}, ['ProcessesStuck'])
    groups.set(groups.top, 'freezer.state', 'THAWED')
    await untilFound(inside, 'process-count', {}, [])
  })

  it('finds that the kernel killed a process for want of memory', async () => {
    groups.limitMemory(groups.top, 32 * 2 ** 20)
    expect(found(await inside.look('oom-kills'))).toEqual([])
    const child = start(within('exec tail /dev/zero'))
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    const [reason] = found(await inside.look('oom-kills'))
    expect(['OomKills', 'LimitOomKills']).toContain(reason)
  })
})
