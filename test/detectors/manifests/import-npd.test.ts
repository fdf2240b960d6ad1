import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { UsageError } from '../../../common/errors.ts'
import { readPluginManifest } from '../../../detectors/manifests/manifest.ts'
import { fromGo } from '../../../detectors/manifests/npd/expressions.ts'
import { importNpd } from '../../../detectors/manifests/npd/import.ts'
import { inWords, kebab, reasonName } from '../../../detectors/manifests/npd/names.ts'
import { fixtureHost, look } from '../fixture-host.ts'

const fileOf = (name: string) => new URL(`./npd/${name}.json`, import.meta.url).pathname
const textOf = (name: string) => readFileSync(fileOf(name), 'utf8')
const importOf = (name: string) => importNpd(textOf(name), `${name}.json`, { folder: '/opt/npd' })

const RULE = { type: 'temporary', reason: 'R', pattern: 'panicked' }

describe('a custom-plugin-monitor', () => {
  const { manifests, notes, leftOut } = importOf('time-service')
  const written = manifests.map(({ text }) => parse(text))

  it('becomes a plugin for each of its checks, whether it was for an event, a condition or both', () => {
    expect(written.map(({ name, command, every, timeout }) => [name, command.join(' '), every, timeout])).toEqual([
      ['ntp-is-silent', '/opt/npd/plugins/ask-chrony.sh', '90s', '3s'],
      ['array-degraded', '/opt/checks/raid --array md0 --spares=1', '5s', '5s'],
      ['array-rebuilding', '/opt/checks/raid --array md0 --rebuilding', '90s', '10s'],
      ['array-degraded-2', '/opt/checks/raid --array md1', '90s', '10s'],
      ['runtime-is-sick', '/opt/checks/runtime-health --component=cri --enable-repair=true', '90s', '10s'],
    ])
    expect(written.map(({ reasons }) => Object.entries<{ severity: string }>(reasons)[0])).toMatchObject([
      ['NTPIsSilent', { severity: 'alarm', summary: 'TimeServiceProblem: NTPIsSilent.' }],
      ['ArrayDegraded', { severity: 'alarm' }],
      ['ArrayRebuilding', { severity: 'alarm' }],
      ['ArrayDegraded2', { severity: 'warn' }],
      ['RuntimeIsSick', { severity: 'alarm' }],
    ])
    expect(leftOut).toEqual([])
    expect(written[0]).toMatchObject({ touches: { paths: ['/**'], commands: ['/**'], writes: ['/**'] } })
  })

  it('says what is different here', () => {
    for (const what of [
      'exit code 2 and above, a timeout and a signal are unknown',
      'conditions are not set by name',
      'messages are cut to 500 characters, not to 120',
      'ntp-is-silent: ./plugins/ask-chrony.sh is taken for /opt/npd/plugins/ask-chrony.sh',
      'array-degraded: its timeout is cut to its interval, 5s',
      'ArrayDegraded is called ArrayDegraded2',
      'runtime_is_sick is called RuntimeIsSick',
      '(--enable-repair)',
      'RaidProblem had 2 checks, of which the last to end won',
    ]) {
      expect(notes.join('\n')).toContain(what)
    }
  })

  it('runs as it did: 1 is a problem, 2 is not known', async () => {
    const detector = readPluginManifest(manifests[0]?.text ?? '', 'x.yaml')
    const host = (code: number) =>
      fixtureHost('empty', { commands: { '/opt/npd/plugins/ask-chrony.sh': { code, stdout: 'chrony says 2 s\n' } } })
    expect(await look(detector, host(0))).toEqual([])
    expect(await look(detector, host(1))).toMatchObject([{ reason: 'NTPIsSilent', summary: 'chrony says 2 s' }])
    await expect(look(detector, host(2))).rejects.toThrow('it exited with 2: chrony says 2 s')
  })
})

describe('a system-log-monitor', () => {
  it('becomes one plugin that follows its log', async () => {
    const { manifests, leftOut, notes } = importOf('kernel')
    expect(leftOut).toEqual([
      expect.stringContaining('TwoLines: its pattern "first line\\\\nsecond line" spans several lines'),
      expect.stringContaining('Anything: its pattern ".*" names no text'),
    ])
    expect(notes.join('\n')).toContain('a condition is reported for 1d after its last line')
    const [manifest] = manifests
    const detector = readPluginManifest(manifest?.text ?? '', 'x.yaml')
    expect(detector).toMatchObject({ name: 'kernel-log-monitor', needs: ['kmsg'], touches: { paths: ['/dev/kmsg'] } })
    const lines = [
      'Out of memory: Killed process 4242 (java) total-vm:1kB, anon-rss:1kB',
      'INFO: task kworker/1:1 blocked for more than 120 seconds.',
      'INFO: task jbd2/sda1-8:301 blocked for more than 120 seconds.',
      'INFO: task jbd2/sda1-8:301 blocked for more than 120 seconds. And more.',
    ]
    const host = fixtureHost('empty', { logs: { kmsg: lines.map((text) => ({ ageMs: 60_000, text })) } })
    expect((await look(detector, host)).map(({ reason, summary }) => [reason, summary.slice(0, 7)])).toEqual([
      ['OutOfMemory', '1 line '],
      ['TaskWaits', '2 lines'],
      ['StorageHung', '1 line '],
    ])
    const later = fixtureHost('empty', { logs: { kmsg: lines.map((text) => ({ ageMs: 11 * 60_000, text })) } })
    expect((await look(detector, later)).map(({ reason }) => reason)).toEqual(['StorageHung'])
  })

  it('follows a file, and the journal', () => {
    const [file] = importOf('docker-file').manifests
    expect(parse(file?.text ?? '').source).toEqual({
      from: 'file',
      path: '/var/log/daemon.log',
      timestamp: '^.{15}',
    })
    const journal = importOf('unit-journal')
    expect(parse(journal.manifests[0]?.text ?? '').source).toEqual({
      from: 'journal',
      fields: { SYSLOG_IDENTIFIER: 'systemd' },
    })
    expect(journal.notes).toContain('rules.0.colour is no key of it and is passed over')
    for (const { text } of [...journal.manifests, ...importOf('docker-file').manifests]) {
      expect(() => readPluginManifest(text, 'x.yaml')).not.toThrow()
    }
  })
})

describe('expressions of Go', () => {
  it.each([
    ['a b\\.', 'a b\\.$'],
    ['a b.*', 'a b'],
    ['a b\\.*', 'a b\\.*$'],
    ['a$', 'a$'],
    ['one|two', '(?:one|two)$'],
    ['(?P<cause>a+) x', '(?<cause>a+) x$'],
    ['\\Aa [[:digit:]]+\\z', '^a [0-9]+$'],
  ])('%s is %s', (pattern, expected) => {
    expect(fromGo(pattern)).toEqual({ pattern: expected, ignoreCase: false })
    expect(() => new RegExp(expected)).not.toThrow()
  })

  it('take letters of either case', () => {
    expect(fromGo('(?i)oom')).toEqual({ pattern: 'oom$', ignoreCase: true })
  })

  it.each([
    ['(?s)a', 'has the flags s'],
    ['a(?i)b', 'changes flags'],
    ['a\\nb', 'several lines'],
    ['\\Qa.b\\E', 'holds \\Q'],
    ['\\pL+', 'holds \\p'],
    ['[[:^digit:]]', 'holds [[:^'],
  ])('%s cannot be said', (pattern, why) => {
    expect(() => fromGo(pattern)).toThrow(why)
  })
})

describe('names', () => {
  it('are written as ours are', () => {
    expect(['NTPIsDown', 'OOMKilling', 'docker-monitor', 'abrt_adaptor', '9P', '---'].map(kebab)).toEqual([
      'ntp-is-down',
      'oom-killing',
      'docker-monitor',
      'abrt-adaptor',
      'p',
      '',
    ])
    expect(['NTPIsDown', 'disk_is-bad', '9lives', '!'].map(reasonName)).toEqual([
      'NTPIsDown',
      'DiskIsBad',
      'Lives',
      'Problem',
    ])
    expect([inWords(90_000), inWords(1_500), inWords(0.2)]).toEqual(['90s', '1500ms', '1ms'])
  })

  it('always make a valid plugin', () =>
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 5 }),
        (reasons) => {
          const rules = reasons.map((reason, index) => ({ type: 'temporary', reason, path: `/bin/p${index}` }))
          const { manifests } = importNpd(JSON.stringify({ plugin: 'custom', source: 's', rules }), 'x.json', {
            folder: '/',
          })
          expect(new Set(manifests.map(({ name }) => name)).size).toBe(reasons.length)
          for (const { text } of manifests) readPluginManifest(text, 'x.yaml')
        },
      ),
    ))
})

describe('a configuration that is wrong', () => {
  const base = { plugin: 'custom', source: 's', rules: [{ type: 'temporary', reason: 'R', path: '/p' }] }
  it.each([
    ['{', 'is no JSON'],
    ['[]', 'is no configuration of a monitor'],
    ['{}', 'plugin must be custom, kmsg, filelog or journald'],
    [JSON.stringify({ cpu: {}, disk: {} }), 'system-stats-monitor'],
    [JSON.stringify({ ...base, rules: [] }), 'rules is empty'],
    [JSON.stringify({ ...base, rules: [{ reason: 'R', path: '/p' }] }), 'rules.0.type is missing'],
    [JSON.stringify({ ...base, pluginConfig: { timeout: '5' } }), 'pluginConfig.timeout: is no duration'],
    [
      JSON.stringify({ ...base, rules: [{ ...base.rules[0], type: 'permanent' }] }),
      'a permanent rule names its condition',
    ],
    [
      JSON.stringify({
        ...base,
        conditions: [{ type: 'DiskBad' }],
        rules: [{ ...base.rules[0], type: 'permanent', condition: 'DiskBda' }],
      }),
      'rules.0.condition: DiskBda is none of the conditions',
    ],
  ])('%s', (text, why) => {
    const failure = () => importNpd(text, 'x.json', { folder: '/' })
    expect(failure).toThrow(UsageError)
    expect(failure).toThrow(`x.json`)
    expect(failure).toThrow(why)
  })

  it.each([
    [{ source: undefined }, 'source is missing', 'as in "source": "kernel-monitor"'],
    [{ source: '' }, 'source is empty', 'the name of the monitor'],
    [{ source: undefined, sorce: 's' }, 'source is missing', 'is "sorce" meant to be it?'],
    [{ source: 3 }, 'source must be a text', undefined],
    [{ rules: undefined }, 'rules is missing', 'one rule or more'],
    [{ rules: [] }, 'rules is empty', 'one rule or more'],
    [{ rules: [3] }, 'rules.0 must be an object', undefined],
    [{ rules: [{ ...RULE, pattern: undefined }] }, 'rules.0.pattern is missing', 'the regular expression'],
    [{ rules: [{ ...RULE, reason: undefined }] }, 'rules.0.reason is missing', 'OOMKilling'],
    [{ rules: [{ ...RULE, type: 'temporay' }] }, 'rules.0.type must be temporary or permanent', undefined],
    [{ plugin: 'custom', rules: [RULE] }, 'rules.0.path is missing', 'the program that the rule runs'],
    [{ conditions: [{ reason: 'R' }] }, 'conditions.0.type is missing', 'KernelDeadlock'],
  ])('%j: %s', (changed, why, remedy) => {
    const text = JSON.stringify({ plugin: 'kmsg', source: 's', rules: [RULE], ...changed })
    const failure = () => importNpd(text, 'x.json', { folder: '/' })
    const told = remedy === undefined ? undefined : expect.stringContaining(remedy)
    expect(failure).toThrow(expect.objectContaining({ name: 'UsageError', message: `x.json: ${why}`, remedy: told }))
  })

  it('has a rule that cannot be taken over: it is left out and said', () => {
    const text = JSON.stringify({
      plugin: 'kmsg',
      source: 's',
      rules: [{ type: 'temporary', reason: 'R', pattern: '(a+)+b cde' }],
    })
    expect(importNpd(text, 'x.json', { folder: '/' })).toMatchObject({
      manifests: [],
      leftOut: [expect.stringContaining('repeats what itself repeats')],
    })
  })

  it('survives anything', () =>
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => importNpd(text, 'x.json', { folder: '/' })).toThrow(UsageError)
      }),
    ))
})

describe('starling import npd', () => {
  const main = new URL('../../../cli/main.ts', import.meta.url).pathname
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [main, 'import', 'npd', ...args], { encoding: 'utf8' })
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starling-import-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('writes each plugin to a file, and nothing over what somebody changed', async () => {
    const first = run(fileOf('time-service'), '--out', folder)
    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining('array-degraded-2') })
    expect(first.stderr).toContain('note: messages are cut')
    expect(await readdir(folder)).toHaveLength(5)
    expect(run(fileOf('time-service'), '--out', folder).status).toBe(0)
    const file = join(folder, 'runtime-is-sick.yaml')
    await writeFile(file, '# mine\n')
    expect(run(fileOf('time-service'), '--out', folder)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('runtime-is-sick.yaml is there already'),
    })
    expect(await readFile(file, 'utf8')).toBe('# mine\n')
  })

  it('writes to stdout, and says by its exit code that rules were left out', () => {
    const result = run(fileOf('kernel'))
    expect(result).toMatchObject({ status: 4, stderr: expect.stringContaining('left out: TwoLines') })
    expect(parse(result.stdout)).toMatchObject({ name: 'kernel-log-monitor', dialect: 'log' })
    expect(run('/no/such/file')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot read /no/such/file'),
    })
  })
})
