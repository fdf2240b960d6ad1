/** What is recorded of a host shows a detector the same as the host did. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lookOnce } from '../../cli/detectors/look.ts'
import { writeRecording } from '../../cli/plugin/recording-folder.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { fixtureHost as recordedHost } from '../../detectors/testing/fixture-host.ts'
import { recordingHost } from '../../detectors/testing/recording-host.ts'
import { redactor } from '../../detectors/testing/redact.ts'
import { fixtureHost } from '../detectors/fixture-host.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-recording-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const kinds = ['ok', 'bad', 'not-applicable', 'unreadable'] as const

describe.each(builtinDetectors.map((detector) => ({ name: detector.name, detector })))(
  'a recording for $name',
  (it_) => {
    const { name, detector } = it_
    it.each(kinds)('of a host that is %s', async (kind) => {
      const { host, recording } = recordingHost(fixtureHost(`${name}/${kind}`))
      const options = detector.options.parse({})
      const first = await lookOnce(detector, host, options)
      const out = join(folder, name, kind)
      const missing = await host.missing(detector.needs)
      writeRecording(out, recording, { node: host.node, missing }, (text) => text)
      const again = await lookOnce(detector, recordedHost(out), options)
      expect({ ...again, why: '' }).toEqual({ ...first, why: '' })
    })
  },
)

it('has no secret in it, nor the name of the host', async () => {
  const [detector] = builtinDetectors
  if (detector === undefined) throw new Error('there is no detector')
  const { host, recording } = recordingHost({
    ...fixtureHost('empty'),
    readText: async () => 'server storage-12 --token=abc',
    run: async () => ({ code: 0, signal: null, stdout: 'password: hunter2 10.1.2.3', stderr: '', truncated: false }),
  })
  const { signal } = new AbortController()
  await host.readText('/etc/storage-12.conf')
  await host.run(['/bin/ask', '10.1.2.3'], { signal })
  const out = join(folder, 'secret')
  writeRecording(out, recording, { node: 'node-7', missing: [] }, redactor(['storage-12'], 'node-7'))
  expect(readFileSync(join(out, 'etc/node-7.conf'), 'utf8')).toBe('server node-7 --token=REDACTED')
  expect(JSON.parse(readFileSync(join(out, 'host.json'), 'utf8')).commands).toEqual({
    '/bin/ask 192.0.2.1': expect.objectContaining({ stdout: 'password: REDACTED 192.0.2.1' }),
  })
})

it('is bounded', async () => {
  const { host } = recordingHost({ ...fixtureHost('empty'), readText: async () => 'x'.repeat(1024 * 1024) })
  for (let file = 0; file < 8; file++) await host.readText(`/${file}`)
  await expect(host.readText('/9')).rejects.toThrow('more than 8 MiB')
})
