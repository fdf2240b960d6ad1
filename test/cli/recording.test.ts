/** What is recorded of a host shows a detector the same as the host did. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lookOnce } from '../../cli/detectors/look.ts'
import { writeRecording } from '../../cli/plugin/recording-folder.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { type RecordedHost, recordedSchema, redactRecording } from '../../detectors/recording/recorded.ts'
import { recordingHost } from '../../detectors/recording/recording-host.ts'
import { redactor } from '../../detectors/recording/redact.ts'
import { fixtureHost as recordedHost } from '../../detectors/testing/fixture-host.ts'
import { fixtureHost } from '../detectors/fixture-host.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-recording-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const MIB = 1024 * 1024
const kinds = ['ok', 'bad', 'not-applicable', 'unreadable'] as const

describe.each(builtinDetectors.map((detector) => ({ name: detector.name, detector })))(
  'a recording for $name',
  (it_) => {
    const { name, detector } = it_
    it.each(kinds)('of a host that is %s', async (kind) => {
      const { host, recording } = recordingHost(fixtureHost(`${name}/${kind}`), 8 * MIB)
      const options = detector.options.parse({})
      const first = await lookOnce(detector, host, options)
      const out = join(folder, name, kind)
      const missing = await host.missing(detector.needs)
      const recorded = await redactRecording(recording, { node: host.node, missing: [...missing] }, (text) => text)
      expect(recordedSchema.shape.host.parse(JSON.parse(JSON.stringify(recorded)))).toEqual(recorded)
      writeRecording(out, recorded)
      const again = await lookOnce(detector, recordedHost(out), options)
      expect({ ...again, why: '' }).toEqual({ ...first, why: '' })
    })
  },
)

it('has no secret in it, nor the name of the host', async () => {
  const [detector] = builtinDetectors
  if (detector === undefined) throw new Error('there is no detector')
  const asked = {
    ...fixtureHost('empty'),
    readText: async () => 'server storage-12 --token=abc',
    run: async () => ({ code: 0, signal: null, stdout: 'password: hunter2 10.1.2.3', stderr: '', truncated: false }),
  }
  const { host, recording } = recordingHost(asked, 8 * MIB)
  const { signal } = new AbortController()
  await host.readText('/etc/storage-12.conf')
  await host.run(['/bin/ask', '10.1.2.3'], { signal })
  const out = join(folder, 'secret')
  const redact = redactor(['storage-12'], 'node-7')
  writeRecording(out, await redactRecording(recording, { node: 'node-7', missing: [] }, redact))
  expect(readFileSync(join(out, 'etc/node-7.conf'), 'utf8')).toBe('server node-7 --token=REDACTED')
  expect(JSON.parse(readFileSync(join(out, 'host.json'), 'utf8')).commands).toEqual({
    '/bin/ask 192.0.2.1': expect.objectContaining({ stdout: 'password: REDACTED 192.0.2.1' }),
  })
})

it('is bounded', async () => {
  const large = { ...fixtureHost('empty'), readText: async () => 'x'.repeat(MIB) }
  const { host, requireWhole } = recordingHost(large, 8 * MIB)
  for (let file = 0; file < 8; file++) await host.readText(`/${file}`)
  requireWhole()
  await expect(host.readText('/9')).rejects.toThrow('more than 8 MiB')
  expect(requireWhole).toThrow('more than 8 MiB')
})

describe('what a node says was recorded', () => {
  const of = (parts: Partial<RecordedHost>): RecordedHost => {
    const nothing = { files: {}, links: {}, folders: {}, present: [], absent: [], unreadable: [], host: {} }
    return { ...nothing, ...parts }
  }
  const { host: schema } = recordedSchema.shape

  it.each([
    { files: { '../x': '' } },
    { files: { '/a/../../x': '' } },
    { files: { '/a//b': '' } },
    { files: { 'a/b': '' } },
    { links: { '/a/': 'b' } },
    { folders: { '/a': ['..'] } },
    { folders: { '/a': ['b/c'] } },
    { present: ['/a\0b'] },
    { host: { node: 'a', unknown: 1 } },
  ] as unknown as Partial<RecordedHost>[])('is refused with %j', (parts) => {
    expect(schema.safeParse(of(parts)).success).toBe(false)
  })

  it('is taken when it is a plain one', () => {
    expect(schema.safeParse(of({ files: { '/a/b': 'c' }, folders: { '/a': ['b'] } })).success).toBe(true)
  })

  it.each([
    ['a link out of the folder', { '/a': '../outside' }, '/a/file'],
    ['an absolute link', { '/a': 'OUTSIDE' }, '/a/file'],
    ['a link by way of another', { '/a': 'b', '/b': 'OUTSIDE' }, '/a/file'],
    ['a link in place of the file', { '/file': 'OUTSIDE/file' }, '/file'],
    ['a link through a link', { '/a': 'OUTSIDE', '/a/b': '../c' }, '/a/b/file'],
    ['a link over host.json', { '/host.json': 'OUTSIDE/file' }, '/file'],
  ])('is written nowhere else by %s', (what, links, path) => {
    const place = join(folder, what)
    const outside = join(place, 'outside')
    mkdirSync(outside, { recursive: true })
    const told = Object.entries(links).map(([at, target]) => [at, target.replace('OUTSIDE', outside)])
    const recorded = schema.parse(of({ links: Object.fromEntries(told), files: { [path]: 'x' } }))
    try {
      writeRecording(join(place, 'out'), recorded)
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringContaining('cannot be written') })
    }
    expect(readdirSync(outside)).toEqual([])
    expect(readdirSync(place).toSorted()).toEqual(['out', 'outside'])
  })

  it('is refused when its links lead round and round', () => {
    const recorded = of({ links: { '/a': 'b', '/b': 'a' }, files: { '/a/file': 'x' } })
    expect(() => writeRecording(join(folder, 'round'), recorded)).toThrow('more than 40 links')
  })
})
