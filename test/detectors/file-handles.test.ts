import { describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { fileHandles } from '../../detectors/file-handles.ts'
import { fixtureHost, look } from './fixture-host.ts'

const host = (fileNr: string) => ({ ...fixtureHost('file-handles/ok'), readText: async () => fileNr })
const ofHost = async (open: number) =>
  (await look(fileHandles, host(`${open}\t0\t1000\n`), { programs: [] })).map(({ reason }) => reason)
const failing = (code: string) => {
  const cause = Object.assign(new Error(code), { code })
  return {
    ...fixtureHost('file-handles/bad'),
    list: (path: string) => Promise.reject(new Error(`${path} cannot be read: ${code}`, { cause })),
  }
}

describe('file-handles', () => {
  it('says nothing where there is no limit to speak of', async () => {
    expect(await look(fileHandles, fixtureHost('file-handles/ok'))).toEqual([])
  })

  it('tells the limit of the host from that of a process, and names the program', async () => {
    const judgements = await look(fileHandles, fixtureHost('file-handles/bad'))
    expect(judgements.map(({ reason, cause, summary }) => [reason, cause, summary])).toEqual([
      ['FilesLow', '', 'the host has 97800 of 100000 files open (97 %)'],
      ['FilesExhausted', '', 'the host has 97800 of 100000 files open (97 %)'],
      ['FilesLow', 'etcd', 'etcd (process 905) has 17 of 20 files open (85 %)'],
    ])
  })

  it.each([
    [799, []],
    [800, ['FilesLow']],
    [900, ['FilesLow', 'FilesExhausted']],
  ])('judges %d of 1000 open files as %j', async (open, expected) => {
    expect(await ofHost(open)).toEqual(expected)
  })

  it('looks at the host alone where it may not look into processes, and does not go through them', async () => {
    const rightless = fixtureHost('file-handles/bad', { missing: ['CAP_SYS_PTRACE'] })
    const processes = () => Promise.reject(new Error('/proc does not show the processes of others'))
    expect((await look(fileHandles, { ...rightless, processes })).map(({ cause }) => cause)).toEqual(['', ''])
  })

  it('leaves out a process that ends or belongs to somebody else, and passes on every other failure', async () => {
    for (const code of ['ESRCH', 'EACCES', 'EPERM']) {
      expect((await look(fileHandles, failing(code))).map(({ cause }) => cause)).toEqual(['', ''])
    }
    await expect(look(fileHandles, failing('EIO'))).rejects.toThrow('/proc/905/fd cannot be read: EIO')
  })

  it('refuses options that make no sense, and a file that is of another form', async () => {
    expect(fileHandles.options.safeParse({ warnRatio: 0.9 }).success).toBe(false)
    expect(fileHandles.options.safeParse({ programs: [''] }).success).toBe(false)
    for (const text of ['', '1 0 2', '1\t0\t0\n', '1\t7\t2\n']) {
      await expect(look(fileHandles, host(text), { programs: [] })).rejects.toThrow('/proc/sys/fs/file-nr is not')
    }
    await expect(look(fileHandles, fixtureHost('empty'))).rejects.toThrow(NotApplicable)
  })
})
