/** A time server for virtual machines: it says what the clock of this machine says, and never sets it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine, Network } from '../../bench/namespaces/network.ts'
import { machineFolder } from '../../scripts/setup/machine.mjs'

const PORT = 11_123

export interface TimeServer {
  /** Of the chrony.conf of those who ask it. */
  readonly line: string
  stop(): Promise<void>
}

/** On `machine`, with -x and without the right to set a clock. */
export function startTimeServer(network: Network, { name, address }: Machine): TimeServer {
  const file = join(network.dir, 'time-server.conf')
  const pidFile = join(network.dir, 'time-server.pid')
  const lines = ['local stratum 8', `port ${PORT}`, 'allow', 'cmdport 0', 'bindcmdaddress /', `pidfile ${pidFile}`]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const chronyd = [join(machineFolder(), 'usr/sbin/chronyd'), '-d', '-x', '-u', 'root', '-f', file]
  const [program = '', ...args] = [...network.on(name), 'setpriv', '--bounding-set', '-sys_time', ...chronyd]
  const child = spawn(program, args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  return {
    line: `server ${address} port ${PORT} iburst minpoll 0 maxpoll 2`,
    async stop() {
      child.kill()
      await ended
    },
  }
}
