/** One reading of /proc for all who ask, and nothing said to be gone on what was read before the question. */
import { describe, expect, it, vi } from 'vitest'
import type { Host, ProcessTable } from '../../detectors/contract.ts'
import { sharedTable } from '../../detectors/host/shared-table.ts'
import { DaemonFinder, isRunning } from '../../detectors/reading/daemons.ts'
import { fixtureHost } from './fixture-host.ts'

const table = (...ids: string[]): ProcessTable => ({
  processes: ids.map((id) => ({ id, words: ['/usr/bin/kubelet'] })),
  unseen: undefined,
  isFresh: true,
})

/** A reader whose readings end when the test says so. */
function slowReader() {
  const ends: ((table: ProcessTable) => void)[] = []
  const read = vi.fn(() => new Promise<ProcessTable>((resolve) => ends.push(resolve)))
  return { read, end: (index: number, ...ids: string[]) => ends[index]?.(table(...ids)) }
}

describe('the table of processes', () => {
  it('is read once for all who ask at the same time, and soon after', async () => {
    const { read, end } = slowReader()
    const processes = sharedTable(read)
    const asked = [processes('lately'), processes('lately'), processes('lately')]
    end(0, '1', '2')
    const answers = await Promise.all(asked)
    expect(answers.map(({ processes }) => processes.length)).toEqual([2, 2, 2])
    expect(answers.map(({ isFresh }) => isFresh)).toEqual([true, false, false])
    await processes('lately')
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('is read again after 2 s, and at once for whoever asks how it is now', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(10_000)
    const read = vi.fn(async () => table('1'))
    const processes = sharedTable(read)
    await processes('lately')
    now.mockReturnValue(12_000)
    await processes('lately')
    expect(read).toHaveBeenCalledTimes(1)
    now.mockReturnValue(12_001)
    expect((await processes('lately')).isFresh).toBe(true)
    expect((await processes('now')).isFresh).toBe(true)
    expect(read).toHaveBeenCalledTimes(3)
    now.mockRestore()
  })

  it('is never read twice at once: who asks how it is now waits, and shares the next', async () => {
    const { read, end } = slowReader()
    const processes = sharedTable(read)
    const first = processes('lately')
    const later = [processes('now'), processes('now')]
    expect(read).toHaveBeenCalledTimes(1)
    end(0, '1')
    await first
    await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(2))
    end(1, '1', '2')
    expect((await Promise.all(later)).map(({ processes }) => processes.length)).toEqual([2, 2])
  })

  it('fails for all who share a reading, and not for who asks after it', async () => {
    const read = vi.fn(async () => table('1')).mockRejectedValueOnce(new Error('EIO'))
    const processes = sharedTable(read)
    const first = processes('lately')
    const next = processes('now')
    await expect(first).rejects.toThrow('EIO')
    expect((await next).isFresh).toBe(true)
  })
})

describe('a daemon', () => {
  const signal = new AbortController().signal
  const tables = (...answers: ProcessTable[]): Host => {
    const processes = vi.fn(async () => answers.shift() ?? table())
    return { ...fixtureHost('kubelet-process/ok'), processes }
  }

  it('that started after the table was read is found all the same', async () => {
    const host = tables({ ...table('1'), isFresh: false }, table('1', '812'))
    expect(isRunning(await new DaemonFinder().find(host, ['kubelet'], signal))).toBe(true)
    expect(host.processes).toHaveBeenLastCalledWith('now')
  })

  it('is not looked for twice in a table read for this question', async () => {
    const host = tables(table('1'))
    expect(await new DaemonFinder().find(host, ['kubelet'], signal)).toMatchObject({ processes: 1, found: [] })
    expect(host.processes).toHaveBeenCalledTimes(1)
  })

  it('is found though another process cannot be seen; if not found, nobody knows', async () => {
    const unseen = new Error('/proc/7/cmdline cannot be read: EPERM')
    const find = (ids: string[]) => new DaemonFinder().find(tables({ ...table(...ids), unseen }), ['kubelet'], signal)
    expect(isRunning(await find(['812']))).toBe(true)
    await expect(find(['1'])).rejects.toThrow('EPERM')
  })
})
