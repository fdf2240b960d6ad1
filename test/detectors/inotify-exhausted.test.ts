import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { inotifyExhausted } from '../../detectors/inotify-exhausted.ts'
import { scanInotify } from '../../detectors/reading/inotify.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const signal = new AbortController().signal

/** A host with processes of so many open files each, of which every one is an inotify instance. */
function madeUp(processes: Record<string, { uid: number; files: number }>): Host & { links: number } {
  const host = {
    ...fixtureHost('inotify-exhausted/ok'),
    links: 0,
    list: async (path: string) => {
      if (path === '/proc') return Object.keys(processes)
      const of = processes[path.split('/')[2] ?? '']
      if (of === undefined) throw new NotApplicable('it has ended')
      return Array.from({ length: of.files }, (_, at) => String(at))
    },
    readText: async (path: string) => {
      const of = processes[path.split('/')[2] ?? '']
      if (of === undefined) throw new NotApplicable('it has ended')
      return path.includes('fdinfo')
        ? 'inotify wd:1 ino:2\ninotify wd:2 ino:3\n'
        : `Name:\tx\nUid:\t9\t${of.uid}\t9\t9\n`
    },
    readLink: async () => {
      host.links++
      return 'anon_inode:inotify'
    },
  }
  return host
}

describe('inotify-exhausted', () => {
  it('says nothing of users who have enough left', async () => {
    expect(await look(inotifyExhausted, fixtureHost('inotify-exhausted/ok'))).toEqual([])
  })

  it('counts instances and watches by user, and names who has the most', async () => {
    const judgements = await look(inotifyExhausted, fixtureHost('inotify-exhausted/bad'))
    expect(judgements.map(({ reason, cause }) => `${reason} ${cause}`).sort()).toEqual([
      'InotifyExhausted uid 0 instances',
      'InotifyFilling uid 0 instances',
      'InotifyFilling uid 1000 watches',
    ])
    expect(summaries(judgements)).toContain(
      'user 0 has 8 of 8 inotify instances in use, most of them process 812 (kubelet)',
    )
  })

  it.each([
    [101, []],
    [103, ['InotifyFilling']],
    [121, ['InotifyFilling']],
    [122, ['InotifyFilling', 'InotifyExhausted']],
  ])('judges %d of 128 instances as %j', (instances, expected) => {
    const uses = [{ uid: 0, instances, watches: 0, most: { id: '1', name: 'x', instances } }]
    const sample = { instancesMax: 128, watchesMax: 0, uses }
    expect(reasons(inotifyExhausted.judge(sample, inotifyExhausted.options.parse({}), []))).toEqual(expected)
  })

  it('goes through a bounded number of open files in a look, and on from there in the next', async () => {
    const host = madeUp({ 1: { uid: 0, files: 250 }, 2: { uid: 1000, files: 30 } })
    const counted: string[] = []
    for (let looks = 0; looks < 4; looks++) {
      const before = host.links
      const uses = await scanInotify(host, 100, signal)
      expect(host.links - before).toBeLessThanOrEqual(100)
      counted.push(uses.map(({ uid, instances, watches }) => `${uid}: ${instances}, ${watches}`).join('; '))
    }
    // A process counts when all of its files have been gone through, so the large one only in the third look.
    expect(counted).toEqual(['1000: 30, 60', '1000: 30, 60', '1000: 30, 60; 0: 250, 500', '1000: 30, 60; 0: 250, 500'])
  })

  it('keeps what the last round found until this one has found more', async () => {
    const processes = { 1: { uid: 0, files: 10 }, 2: { uid: 0, files: 10 } }
    const host = madeUp(processes)
    const instances = async (links: number) => (await scanInotify(host, links, signal))[0]?.instances
    expect(await instances(1_000)).toBe(20)
    expect(await instances(12)).toBe(20)
    expect(await instances(1_000)).toBe(20)
    processes[2].files = 30
    await instances(1_000)
    expect(await instances(1_000)).toBe(40)
    processes[1].files = 0
    processes[2].files = 1
    await instances(1_000)
    expect(await instances(1_000)).toBe(1)
  })

  it('passes over what ends while it is looked at', async () => {
    const ok = fixtureHost('inotify-exhausted/bad')
    const gone = new Error('/proc/812/fd cannot be read: ESRCH', { cause: { code: 'ESRCH' } })
    const ended: Host = {
      ...ok,
      list: (path) => (path === '/proc/812/fd' ? Promise.reject(gone) : ok.list(path)),
      readLink: (path) => (path.endsWith('/10') ? Promise.reject(new NotApplicable('closed')) : ok.readLink(path)),
      readText: (path) => (path.includes('fdinfo') ? Promise.reject(new Error('over 1 MiB')) : ok.readText(path)),
    }
    expect(await look(inotifyExhausted, ended)).toEqual([])
  })

  it('passes over a process that it may not see, and does not know when there is no other', async () => {
    const bad = fixtureHost('inotify-exhausted/bad')
    const closed = (which: RegExp): Host => ({
      ...bad,
      readLink: (path) => {
        const error = new Error(`${path} cannot be read: EACCES`, { cause: { code: 'EACCES' } })
        return which.test(path) ? Promise.reject(error) : bad.readLink(path)
      },
    })
    expect(reasons(await look(inotifyExhausted, closed(/^\/proc\/1\//)))).toEqual(['InotifyFilling'])
    await expect(look(inotifyExhausted, closed(/./))).rejects.toThrow('EACCES')
    const broken: Host = { ...bad, readLink: () => Promise.reject(new Error('/proc/1/fd/0 cannot be read: EIO')) }
    await expect(look(inotifyExhausted, broken)).rejects.toThrow('EIO')
    await expect(look(inotifyExhausted, fixtureHost('inotify-exhausted/unreadable'))).rejects.toThrow('whose process')
  })

  it('does not apply where there is no inotify, and refuses ratios the wrong way round', async () => {
    await expect(look(inotifyExhausted, fixtureHost('inotify-exhausted/not-applicable'))).rejects.toThrow(NotApplicable)
    for (const wrong of [{ warnRatio: 0.95 }, { alarmRatio: 2 }, { linksMax: 1 }]) {
      expect(inotifyExhausted.options.safeParse(wrong).success).toBe(false)
    }
  })
})
