import { describe, expect, it } from 'vitest'
import { cadvisorProcess } from '../../detectors/cadvisor-process.ts'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { readProcesses } from '../../detectors/reading/processes.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const withWords = (words: string): Host => {
  const host = fixtureHost('cadvisor-process/ok')
  const readWords = async (path: string) => (path === '/proc/2044/cmdline' ? words.split(' ') : host.readWords(path))
  return { ...host, readWords, processes: () => readProcesses({ list: host.list, readWords }) }
}

describe('cadvisor-process', () => {
  it('says nothing of one that runs, though it is in a container', async () => {
    expect(await look(cadvisorProcess, fixtureHost('cadvisor-process/ok'))).toEqual([])
  })

  it('finds that none runs where its unit is enabled', async () => {
    expect(await look(cadvisorProcess, fixtureHost('cadvisor-process/bad'))).toEqual([
      {
        reason: 'CadvisorProcessDown',
        summary: 'none of 2 processes is a stand-alone cadvisor',
        evidence: [{ name: 'cadvisors', value: 0, limit: 1, unit: 'processes' }],
      },
    ])
  })

  it('finds one that is stopped', async () => {
    const host = fixtureHost('cadvisor-process/ok')
    const readText = async (path: string) =>
      path === '/proc/2044/status' ? 'State:\tT (stopped)\nNSpid:\t2044\t1\n' : host.readText(path)
    expect(summaries(await look(cadvisorProcess, { ...host, readText }))).toEqual([
      'a stand-alone cadvisor, process 2044, is stopped: it was sent SIGSTOP, or a debugger holds it',
    ])
  })

  it.each([
    ['/usr/local/bin/cadvisor --port 9090', []],
    ['cadvisor', []],
    ['/usr/bin/kubelet --cadvisor-port=4194', ['CadvisorProcessDown']],
    ['/bin/sh -c cadvisor', ['CadvisorProcessDown']],
    ['/opt/cadvisor/exporter', ['CadvisorProcessDown']],
    ['', ['CadvisorProcessDown']],
  ])('of %s says %j', async (words, expected) => {
    expect(reasons(await look(cadvisorProcess, withWords(words)))).toEqual(expected)
  })

  it('does not apply where only the kubelet has one, unless it is told that one must be there', async () => {
    const builtIn = fixtureHost('cadvisor-process/not-applicable')
    await expect(look(cadvisorProcess, builtIn)).rejects.toThrow('only the one in the kubelet')
    await expect(look(cadvisorProcess, builtIn)).rejects.toThrow(NotApplicable)
    expect(reasons(await look(cadvisorProcess, builtIn, { signs: ['/'] }))).toEqual(['CadvisorProcessDown'])
  })

  it('knows an enabled unit whose link leads nowhere from here', async () => {
    const host = fixtureHost('cadvisor-process/bad')
    const readLink = async () => '/lib/systemd/system/cadvisor.service'
    const elsewhere = { ...host, exists: async () => false, readLink }
    expect(reasons(await look(cadvisorProcess, elsewhere))).toEqual(['CadvisorProcessDown'])
  })

  it('does not know where it cannot see', async () => {
    const hidden = look(cadvisorProcess, fixtureHost('cadvisor-process/unreadable'))
    await expect(hidden).rejects.toThrow('/proc does not show the processes of others')
    await expect(hidden).rejects.not.toThrow(NotApplicable)
  })

  it.each([{ commands: [] }, { commands: [' '] }, { signs: ['cadvisor.service'] }, { signs: [] }])(
    'refuses %j',
    (options) => {
      expect(cadvisorProcess.options.safeParse(options).success).toBe(false)
    },
  )
})
