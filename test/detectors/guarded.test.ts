/** That a detector gets at nothing but what people were told that it touches. */
import { posix } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conntrack } from '../../detectors/conntrack.ts'
import type { Host, Touches } from '../../detectors/contract.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { look } from '../../detectors/testing/look.ts'
import { fixtureHost } from './fixture-host.ts'

const TOUCHES: Touches = {
  paths: ['/proc/*/stat', '/sys/fs/**', '/etc/hosts'],
  commands: ['/usr/bin/ss'],
  services: ['http://127.0.0.1:*', 'unix:/run/containerd/*.sock'],
}

/** Answers everything, and keeps what it was asked for. */
function recorder(touches: Touches) {
  const asked: string[] = []
  const take = (what: string) => {
    asked.push(what)
    return what
  }
  const host: Host = {
    node: 'node-7',
    missing: async () => [],
    readText: async (path) => take(path),
    readInt: async (path) => take(path).length,
    readWords: async (path) => [take(path)],
    processes: async () => ({
      processes: [{ id: take('/proc/1/cmdline'), words: [] }],
      unseen: undefined,
      isFresh: true,
    }),
    readLink: async (path) => take(path),
    list: async (path) => [take(path)],
    age: async (path) => take(path).length,
    exists: async (path) => take(path) !== '',
    filesystem: async (path) => {
      const figure = take(path).length
      return { bytes: figure, bytesUsed: 0, bytesAvailable: figure, inodes: 0, inodesFree: 0 }
    },
    get: async (url) => ({ status: 200, headers: {}, body: take(url), tookMs: 1 }),
    call: async (url) => Buffer.from(take(url)),
    log: async ({ source }) => [
      { pattern: 0, cause: '', text: take(source.kind === 'file' ? source.path : source.kind), agesMs: [0] },
    ],
    run: async ([program]) => ({ code: 0, signal: null, stdout: take(program), stderr: '', truncated: false }),
    peerOffsets: () => [{ node: take('peers'), offsetMs: 0, errorMs: 0 }],
    peerLinks: () => [{ node: take('peers'), isNear: true, beats: 0, lost: 0, medianMs: 0, p95Ms: 0 }],
    majority: (fact) => ({ pool: take(fact), value: '', nodes: 0, of: 0 }),
  }
  return { guarded: guardedHost(host, touches), asked }
}

const signal = new AbortController().signal

/** The rule once more, by names and not by patterns. */
function isReadable(path: string): boolean {
  const names = path.split('/').slice(1)
  if (path === '/etc/hosts') return true
  if (names[0] === 'proc') return names.length === 3 && names[2] === 'stat'
  return names[0] === 'sys' && names[1] === 'fs' && names.length > 2
}
const LISTABLE = ['/', '/proc', '/sys', '/sys/fs', '/etc']
const isListable = (path: string) => isReadable(path) || LISTABLE.includes(path) || /^\/proc\/[^/]+$/.test(path)

const anyPath = fc
  .tuple(
    fc.constantFrom('', '/', '//', './'),
    fc.array(
      fc.oneof(
        fc.constantFrom('..', '.', '', 'proc', 'sys', 'fs', 'etc', 'hosts', 'stat', 'shadow', '7', '*', '**', 'a\n'),
        fc.string({ maxLength: 4 }),
      ),
      { maxLength: 8 },
    ),
  )
  .map(([start, names]) => `${start}${names.join('/')}`)

describe('a guarded host', () => {
  it('lets nothing through but what the globs name, however it is written', () =>
    fc.assert(
      fc.asyncProperty(anyPath, async (path) => {
        const reading = recorder(TOUCHES)
        const { guarded } = reading
        await Promise.allSettled([guarded.readText(path), guarded.readInt(path)])
        await Promise.allSettled([guarded.readWords(path), guarded.readLink(path)])
        for (const asked of reading.asked) {
          expect(asked).toBe(posix.resolve('/', path))
          expect(isReadable(asked)).toBe(true)
        }
        const listing = recorder(TOUCHES)
        await Promise.allSettled([listing.guarded.list(path), listing.guarded.exists(path)])
        await Promise.allSettled([listing.guarded.filesystem(path), listing.guarded.run([path], { signal })])
        for (const asked of listing.asked) {
          expect(asked).toBe(posix.resolve('/', path))
          expect(isListable(asked) || asked === '/usr/bin/ss').toBe(true)
        }
      }),
      { numRuns: 500 },
    ))

  it.each([
    ['/proc/7/stat', '/proc/7/stat'],
    ['/proc/./7//stat', '/proc/7/stat'],
    ['/sys/class/../fs/x', '/sys/fs/x'],
    ['/../../etc/hosts', '/etc/hosts'],
  ])('asks the host for %s as %s', async (path, resolved) => {
    const { guarded, asked } = recorder(TOUCHES)
    await guarded.readText(path)
    expect(asked).toEqual([resolved])
  })

  it.each(['/sys/fs/../../etc/shadow', '/proc/7/stat/../environ', '/proc/7/environ', 'etc/hosts', '/sys/fs/..', ''])(
    'refuses %j, naming it',
    async (path) => {
      const { guarded, asked } = recorder(TOUCHES)
      await expect(guarded.readText(path)).rejects.toThrow(`${path} is not among what it says`)
      expect(asked).toEqual([])
    },
  )

  it('runs the programs it names, by any spelling, and no others', async () => {
    const { guarded, asked } = recorder(TOUCHES)
    await guarded.run(['/usr/sbin/../bin/ss', '-s'], { signal })
    await expect(guarded.run(['/usr/bin/ss/../sh'], { signal })).rejects.toThrow('is not among')
    expect(asked).toEqual(['/usr/bin/ss'])
  })

  it.each(['http://127.0.0.1:10248/healthz', 'http://127.0.0.1:80?a=@b', 'unix:/run/containerd/containerd.sock:/v1'])(
    'asks %s',
    async (url) => {
      const { guarded, asked } = recorder(TOUCHES)
      await guarded.get(url, { signal })
      await guarded.call(url, new Uint8Array(), { signal })
      expect(asked).toEqual([url, url])
    },
  )

  it.each([
    'http://127.0.0.2:80/',
    'https://127.0.0.1:80/',
    'http://127.0.0.1:80@198.51.100.7/',
    'http://127.0.0.1:@198.51.100.7',
    'http://127.0.0.1:\\@198.51.100.7',
    'http://127.0.0.1:\t80/',
    'http:198.51.100.7',
    'http:///198.51.100.7',
    'unix:/run/containerd/../docker.sock:/v1',
    'unix:/run/containerd/x.sock',
    'unix:/run/containerd/x.sock:\n/',
    'unix:/run/docker.sock:/',
  ])('does not ask %j', async (url) => {
    const { guarded, asked } = recorder(TOUCHES)
    const refused = 'is not among what it says that it touches'
    await expect(guarded.get(url, { signal })).rejects.toThrow(refused)
    await expect(guarded.call(url, new Uint8Array(), { signal })).rejects.toThrow(refused)
    expect(asked).toEqual([])
  })

  it('sends a request to nowhere else than what it names, whatever the address', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom('http', 's', ':', '/', '//', '127.0.0.1', '@', '\\', '?', '#', 'evil', '80', '.', ' '),
        ),
        async (parts) => {
          const { guarded, asked } = recorder(TOUCHES)
          await guarded.get(`http://127.0.0.1:${parts.join('')}`, { signal }).catch(() => {})
          for (const url of asked) if (URL.canParse(url)) expect(new URL(url).hostname).toBe('127.0.0.1')
        },
      ),
      { numRuns: 500 },
    ))

  it('tells of peers only who says so', () => {
    expect(() => recorder({}).guarded.peerOffsets()).toThrow('its peers is not among')
    expect(recorder({ peers: true }).guarded.peerOffsets()).toHaveLength(1)
  })
})

it("holds a plugin author's look to it as well", async () => {
  const host = fixtureHost('conntrack/ok')
  const nosy = { ...conntrack, touches: { paths: ['/proc/uptime'] } }
  await expect(look(nosy, host)).rejects.toThrow('is not among what it says that it touches')
  expect(await look(conntrack, host)).toEqual([])
})
