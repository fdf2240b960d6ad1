import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { kubeletProcess } from '../../detectors/kubelet-process.ts'
import { readProcesses } from '../../detectors/reading/processes.ts'
import { describeReal, needsLinux } from '../real-part.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

/** The fixture with some of its files as they are said to be; null: gone. */
function changed(name: string, files: Readonly<Record<string, string | null>>): Host {
  const host = fixtureHost(name)
  const read = <T>(path: string, known: (text: string) => T, otherwise: (path: string) => Promise<T>): Promise<T> => {
    const text = files[path]
    if (text === undefined) return otherwise(path)
    return text === null ? Promise.reject(new NotApplicable(`${path} is gone`)) : Promise.resolve(known(text))
  }
  const reading = {
    ...host,
    readText: (path: string) => read(path, (text) => text, host.readText),
    readWords: (path: string) => read(path, (text) => text.split(' ').filter(Boolean), host.readWords),
  }
  return { ...reading, processes: () => readProcesses(reading) }
}

describe('kubelet-process', () => {
  it('says nothing of a host whose kubelet runs', async () => {
    expect(await look(kubeletProcess, fixtureHost('kubelet-process/ok'))).toEqual([])
  })

  it('finds a kubelet that does not run, whatever runs in pods', async () => {
    expect(await look(kubeletProcess, fixtureHost('kubelet-process/bad'))).toEqual([
      {
        reason: 'KubeletDown',
        summary: 'none of 3 processes is the kubelet',
        evidence: [{ name: 'kubelets', value: 0, limit: 1, unit: 'processes' }],
      },
    ])
  })

  it.each([
    ['T (stopped)', 'the kubelet, process 812, is stopped: it was sent SIGSTOP, or a debugger holds it'],
    ['t (tracing stop)', 'the kubelet, process 812, is stopped: it was sent SIGSTOP, or a debugger holds it'],
    ['R (running)', undefined],
    ['D (disk sleep)', undefined],
  ])('judges one in state %s', async (state, summary) => {
    const host = changed('kubelet-process/ok', {
      '/proc/812/status': `Name:\tkubelet\nState:\t${state}\nNSpid:\t812\n`,
    })
    expect(summaries(await look(kubeletProcess, host))).toEqual(summary === undefined ? [] : [summary])
  })

  it('finds a zombie as dead: it has no command line', async () => {
    const host = changed('kubelet-process/ok', { '/proc/812/cmdline': '' })
    expect(reasons(await look(kubeletProcess, host))).toEqual(['KubeletDown'])
  })

  it('takes one that ends while it is looked at for dead', async () => {
    for (const file of ['cmdline', 'status']) {
      const host = changed('kubelet-process/ok', { [`/proc/812/${file}`]: null })
      expect(reasons(await look(kubeletProcess, host))).toEqual(['KubeletDown'])
    }
  })

  it.each([
    ['/usr/local/bin/k3s agent', []],
    ['/usr/local/bin/k3s server --cluster-init', []],
    ['/snap/microk8s/7/kubelite --kubelet-args-file=f', []],
    ['/usr/local/bin/k3s etcd-snapshot', ['KubeletDown']],
    ['/usr/bin/tail -f kubelet', ['KubeletDown']],
    ['/usr/bin/kubelet-wrapper', ['KubeletDown']],
  ])('of %s says %j', async (words, expected) => {
    expect(reasons(await look(kubeletProcess, changed('kubelet-process/ok', { '/proc/812/cmdline': words })))).toEqual(
      expected,
    )
  })

  it('looks for other command lines where it is told to, with the name of the node in them', async () => {
    const options = { commands: ['kubemark --morph=kubelet --name={node}'] }
    const named = (node: string) =>
      changed('kubelet-process/ok', { '/proc/812/cmdline': `/x/kubemark --morph=kubelet --name=${node} -v=2` })
    expect(await look(kubeletProcess, named('node-7'), options)).toEqual([])
    expect(reasons(await look(kubeletProcess, named('node-77'), options))).toEqual(['KubeletDown'])
  })

  it('looks first where it found it before, and elsewhere when that is another now', async () => {
    const files: Record<string, string | null> = {}
    const host = changed('kubelet-process/ok', files)
    const processes = vi.spyOn(host, 'processes')
    for (const times of [1, 2]) {
      expect(await look(kubeletProcess, host), `look ${times}`).toEqual([])
      expect(processes).toHaveBeenCalledTimes(1)
    }
    files['/proc/812/cmdline'] = '/usr/bin/other'
    expect(reasons(await look(kubeletProcess, host))).toEqual(['KubeletDown'])
    files['/proc/1/cmdline'] = '/usr/bin/kubelet'
    expect(await look(kubeletProcess, host)).toEqual([])
  })

  it('does not apply where no kubelet ever ran, unless it is told that one must', async () => {
    await expect(look(kubeletProcess, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    const readLink = () => Promise.reject(new NotApplicable('gone'))
    const never = { ...fixtureHost('kubelet-process/bad'), exists: async (path: string) => path === '/', readLink }
    await expect(look(kubeletProcess, never)).rejects.toThrow('this host has no /var/lib/kubelet: no kubelet')
    expect(reasons(await look(kubeletProcess, never, { signs: ['/srv/kubelet', '/'] }))).toEqual(['KubeletDown'])
  })

  it('does not know where it cannot see: never dead, never fine', async () => {
    const hidden = look(kubeletProcess, fixtureHost('kubelet-process/hidepid'))
    await expect(hidden).rejects.toThrow('/proc does not show the processes of others')
    await expect(hidden).rejects.not.toThrow(NotApplicable)
    await expect(look(kubeletProcess, fixtureHost('kubelet-process/unreadable'))).rejects.toThrow(
      '/proc/812/status does not say in which state',
    )
    const bad = fixtureHost('kubelet-process/bad')
    const words = { list: bad.list, readWords: () => Promise.reject(new Error('/proc/1/cmdline: EPERM')) }
    const forbidden = { ...bad, processes: () => readProcesses(words) }
    await expect(look(kubeletProcess, forbidden)).rejects.toThrow('EPERM')
    const sealed = {
      ...fixtureHost('kubelet-process/ok'),
      exists: () => Promise.reject(new Error('/var/lib/kubelet: EACCES')),
    }
    await expect(look(kubeletProcess, sealed)).rejects.toThrow('EACCES')
  })

  it('refuses options that nothing could be found by', () => {
    for (const options of [{ commands: [] }, { commands: [' '] }, { signs: [] }, { signs: ['var/lib'] }]) {
      expect(kubeletProcess.options.safeParse(options).success).toBe(false)
    }
  })
})

describeReal('kubelet-process and a real process', needsLinux(), () => {
  let child: ChildProcess | undefined
  afterEach(() => child?.kill('SIGKILL'))

  it('finds it stopped, going on, and dead', async () => {
    const name = `kubelet-of-${process.pid}`
    const host = createHost({ node: 'node-7', peerOffsets: () => [] })
    const options = { commands: [`${name} -e`], signs: ['/'] }
    const untilFound = (expected: readonly string[]) =>
      vi.waitFor(async () => expect(reasons(await look(kubeletProcess, host, options))).toEqual(expected), {
        timeout: 30_000,
      })
    await untilFound(['KubeletDown'])
    child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { argv0: `/opt/${name}`, stdio: 'ignore' })
    await untilFound([])
    child.kill('SIGSTOP')
    await untilFound(['KubeletDown'])
    child.kill('SIGCONT')
    await untilFound([])
    child.kill('SIGKILL')
    await once(child, 'exit')
    await untilFound(['KubeletDown'])
  }, 120_000)
})
