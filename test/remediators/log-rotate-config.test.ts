import { access, chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NotApplicable } from '../../detectors/contract.ts'
import { syslogLevel } from '../../detectors/syslog-level.ts'
import { logRotateConfig } from '../../remediators/log-rotate-config.ts'
import { makePlan } from '../../remediators/plan.ts'
import { type ScratchHost, scratchHost } from '../../remediators/testing/scratch-host.ts'
import { UNBOUNDED } from './cases/log-rotate-config.ts'
import { at, fixture } from './parts.ts'

const signal = new AbortController().signal
const DAEMON_JSON = 'etc/docker/daemon.json'
const BACKUP = `${DAEMON_JSON}.before-starling`

let scratch: ScratchHost
beforeEach(async () => {
  scratch = await scratchHost(fixture('log-rotate-config'))
})
afterEach(() => scratch.remove())

const located = (path: string) => join(scratch.root, path)
const text = (path = DAEMON_JSON) => readFile(located(path), 'utf8')
const write = (content: string, path = DAEMON_JSON) => writeFile(located(path), content)
const control = () => scratch.control(logRotateConfig.touches)

async function planned(options: unknown = {}) {
  const parsed = logRotateConfig.options.parse(options)
  const seen = await logRotateConfig.inspect?.(control().host, UNBOUNDED, parsed, signal)
  if (seen === undefined) throw new Error('it looks at the host')
  return makePlan(logRotateConfig, UNBOUNDED, logRotateConfig.plan(UNBOUNDED, parsed, seen) ?? [], at(0).wall)
}

describe('the bound of the logs of containers', () => {
  it('is merged into the file, laid out as it was, with the old one beside it', async () => {
    const before = await text()
    await chmod(located(DAEMON_JSON), 0o600)
    const plan = await planned()
    expect(plan.changes).toEqual([
      {
        what: 'log-opts.max-size in /etc/docker/daemon.json, for containers made after the next start of dockerd',
        before: '(not set)',
        after: '100m',
        undo: 'mv /etc/docker/daemon.json.before-starling /etc/docker/daemon.json',
      },
      expect.objectContaining({ before: '(not set)', after: '3' }),
    ])
    await logRotateConfig.apply(plan, control(), signal)
    expect(JSON.parse(await text())).toEqual({
      'live-restore': true,
      'log-opts': { labels: 'app', 'max-size': '100m', 'max-file': '3' },
      'registry-mirrors': ['https://mirror.example.org'],
    })
    expect(await text()).toContain('\n\t"live-restore": true,\n')
    expect(await text(BACKUP)).toBe(before)
    expect((await stat(located(DAEMON_JSON))).mode & 0o777).toBe(0o600)
  })

  it('says in no plan what else the file says', async () => {
    await write('{"proxies": {"http-proxy": "http://ada:secret@proxy.example.org"}}')
    expect(JSON.stringify(await planned())).not.toContain('secret')
  })

  it('leaves alone how many files are kept, when that is set', async () => {
    await write('{"log-opts": {"max-size": "-1", "max-file": "7"}}')
    const { changes } = await planned({ maxSize: '1g' })
    expect(changes).toHaveLength(1)
    expect(changes[0]).toMatchObject({ before: '-1', after: '1g' })
  })

  it('is taken back out of a file that somebody has changed since, and nothing else of it', async () => {
    const plan = await planned()
    await logRotateConfig.apply(plan, control(), signal)
    await write((await text()).replace('"live-restore": true', '"live-restore": false'))
    await logRotateConfig.revert(plan, control(), signal)
    expect(JSON.parse(await text())).toEqual({
      'live-restore': false,
      'log-opts': { labels: 'app' },
      'registry-mirrors': ['https://mirror.example.org'],
    })
    await expect(access(located(BACKUP))).rejects.toThrow('ENOENT')
  })

  it('is one that somebody has set to something else since, and stays so', async () => {
    const plan = await planned()
    await logRotateConfig.apply(plan, control(), signal)
    await write('{"log-opts": {"max-size": "5m"}}')
    await logRotateConfig.revert(plan, control(), signal)
    expect(await text()).toBe('{"log-opts": {"max-size": "5m"}}')
  })
})

describe('a daemon.json that is left alone', () => {
  it.each([
    ['{\n  // bounded\n  "log-opts": {}\n}', 'is no valid JSON, which knows no comments'],
    ['{"log-opts": {}', 'is no valid JSON'],
    ['', 'is no valid JSON'],
    ['[]', 'holds no object'],
    ['null', 'holds no object'],
    ['{"log-opts": ["max-size"]}', 'log-opts in /etc/docker/daemon.json is no object'],
    ['{"log-opts": {"max-file": 3}}', 'log-opts.max-file in /etc/docker/daemon.json is no text'],
    ['{"debug": true, "debug": false}', 'a key that is there twice'],
    ['{"max-concurrent-downloads": 123456789012345678901}', 'would not be the same written again'],
  ])('since it is not what it should be: %s', async (content, why) => {
    await write(content)
    await expect(planned()).rejects.toThrow(why)
    expect(await text()).toBe(content)
  })

  it.each(['{"log-opts": {"max-size": "10m"}}', '{"log-driver": "journald"}', '{"log-driver": "local"}'])(
    'since its logs have a bound: %s',
    async (content) => {
      await write(content)
      await expect(planned()).rejects.toThrow(NotApplicable)
    },
  )

  it.each([
    ['--log-opt\0max-file=3', 'would not start with the same in its file'],
    ['--log-opt=max-file=3', 'would not start with the same in its file'],
    ['--log-driver=json-file', 'would not start with the same in its file'],
    ['--config-file=/etc/docker/other.json', 'dockerd is configured by /etc/docker/other.json'],
  ])('since dockerd is started with %j', async (flag, why) => {
    await write(`/usr/bin/dockerd\0${flag}\0`, 'proc/840/cmdline')
    await expect(planned()).rejects.toThrow(why)
  })

  it('since no dockerd runs that could be asked', async () => {
    await write('/usr/sbin/nginx\0', 'proc/840/cmdline')
    await expect(planned()).rejects.toThrow('no dockerd runs')
    await rm(located('run/docker.pid'))
    await expect(planned()).rejects.toThrow('no dockerd runs')
  })
})

it('handles a reason that syslog-level gives', () => {
  expect(Object.keys(syslogLevel.reasons)).toContain(logRotateConfig.handles[0])
})

it.each([
  { maxSize: '100' },
  { maxSize: '0m' },
  { maxSize: '-1' },
  { maxSize: '10t' },
  { maxFile: 0 },
  { maxFile: 101 },
])('refuses the option %j', (options) => expect(logRotateConfig.options.safeParse(options).success).toBe(false))
