/** What the second channel answers about a host, and that whoever carries it answers so: sockets and simulator alike. */
import { describe, expect, test } from 'vitest'
import type { HostAnswer, PortResult } from '../../mesh/core/channel.ts'

/** `strange`: the address is another machine's by now, with an agent of its own. */
export type HostScene = 'up' | 'agentDead' | 'agentDeadBehindDrop' | 'agentHung' | 'hung' | 'silent' | 'strange'

export type ControlScene = 'reachable' | 'refusing' | 'silent' | 'none'

/** Puts up such a host and such a member to compare it with, and asks. */
export type AskStaged = (host: HostScene, control: ControlScene) => Promise<HostAnswer>

const PORTS: readonly [HostScene, PortResult, PortResult][] = [
  ['up', 'userland', 'userland'],
  ['agentDead', 'refused', 'userland'],
  ['agentDeadBehindDrop', 'late', 'userland'],
  ['agentHung', 'late', 'userland'],
  ['hung', 'mute', 'mute'],
  ['silent', 'nothing', 'nothing'],
  ['strange', 'nothing', 'userland'],
]

const CONTROLS: readonly [ControlScene, boolean][] = [
  ['reachable', true],
  ['refusing', false],
  ['silent', false],
  ['none', false],
]

export function conformsAsHostChannel(name: string, ask: AskStaged): void {
  describe.concurrent(`${name} answers`, () => {
    test.each(PORTS)('of a host that is %s: agent %s, kubelet %s', async (host, agent, kubelet) => {
      expect(await ask(host, 'none')).toEqual({ ports: { agent, kubelet }, control: false })
    })

    test.each(CONTROLS)('that another member is %s: %s', async (control, expected) => {
      const answers = await Promise.all([ask('silent', control), ask('up', control)])
      expect(answers.map((answer) => answer.control)).toEqual([expected, expected])
    })
  })
}
