/**
 * Faults for a local mesh, staged without root. A dead host answers nothing: its processes are stopped and their accept
 * queues filled, so that the kernel drops every further SYN as a dead machine's would. A hung one still accepts.
 */
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { StarlingError } from '../../common/errors.ts'
import type { LocalNode } from './layout.ts'
import type { LocalProcess } from './processes.ts'

export const CHAOS_ACTIONS = ['kill', 'kill-agent', 'hang', 'resume'] as const
export type ChaosAction = (typeof CHAOS_ACTIONS)[number]

/** A connect to a listener whose queue has room is answered at once; one this late was dropped. */
const DROPPED_AFTER_MS = 100

/** Connects started at a time, and in all: more than any queue here can hold (net.core.somaxconn is 4096). */
const BATCH = 64
const CONNECTS_MAX = 6_000

export interface ChaosTarget {
  readonly node: LocalNode
  readonly agent: LocalProcess
  readonly kubelet: LocalProcess
  startAgent(): void
}

export async function inflict(action: ChaosAction, { node, agent, kubelet, startAgent }: ChaosTarget): Promise<string> {
  switch (action) {
    case 'kill':
      agent.signal('SIGSTOP')
      kubelet.signal('SIGSTOP')
      await Promise.all([fillQueue(node.host, node.meshPort), fillQueue(node.host, node.kubeletPort)])
      return `${node.name} answers nothing any more, as if its power were cut`
    case 'hang':
      agent.signal('SIGSTOP')
      kubelet.signal('SIGSTOP')
      return `${node.name} hangs: its ports accept, nothing answers`
    case 'kill-agent':
      agent.signal('SIGKILL')
      return `the agent of ${node.name} is killed; its host goes on`
    case 'resume':
      kubelet.signal('SIGCONT')
      if (agent.isRunning) agent.signal('SIGCONT')
      else startAgent()
      return `${node.name} goes on`
  }
}

/**
 * Connects until nothing is accepted any more. A connection that was accepted keeps its place in the queue of the stopped
 * process although this side closes it, so none has to be held open.
 */
async function fillQueue(host: string, port: number): Promise<void> {
  for (let made = 0; made < CONNECTS_MAX; made += BATCH) {
    const accepted = await Promise.all(Array.from({ length: BATCH }, () => isAccepted(host, port)))
    if (!accepted.some(Boolean)) return
  }
  throw new StarlingError(`${host}:${port} accepts more than ${CONNECTS_MAX} connections while it is stopped`)
}

async function isAccepted(host: string, port: number): Promise<boolean> {
  const socket: Socket = connect({ host, port })
  const done = new AbortController()
  try {
    return await Promise.race([
      new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true))
        socket.once('error', () => resolve(false))
      }),
      // After a pause of this process the timer is due before the answers that waited are read.
      wait(DROPPED_AFTER_MS, undefined, { signal: done.signal }).then(async () => {
        await nextTurn()
        return false
      }),
    ])
  } finally {
    done.abort()
    socket.destroy()
  }
}
