import { describe, expect, it } from 'vitest'
import { type Host, NotApplicable } from '../../detectors/contract.ts'
import { catchAllRules, journalSettings, levelOf } from '../../detectors/reading/syslog-config.ts'
import { syslogLevel } from '../../detectors/syslog-level.ts'
import { fixtureHost, look, reasons, summaries } from './fixture-host.ts'

const RULE = '*.*;auth,authpriv.none -/var/log/syslog'

function changed(name: string, files: Readonly<Record<string, string | Error>>): Host {
  const host = fixtureHost(name)
  return {
    ...host,
    readText: async (path) => {
      const text = files[path]
      if (text instanceof Error) throw text
      return text ?? host.readText(path)
    },
  }
}

const judge = (sample: object, options: unknown = {}) =>
  syslogLevel.judge(
    { consoleLevel: 4, ignored: false, catchAlls: [], journal: [], docker: undefined, down: [], ...sample },
    syslogLevel.options.parse(options),
    [],
  )

describe('syslog-level', () => {
  it('says nothing of a host as its distribution ships it', async () => {
    expect(await look(syslogLevel, fixtureHost('syslog-level/ok'))).toEqual([])
  })

  it('finds what is too loud, too quiet, and not there', async () => {
    expect(summaries(await look(syslogLevel, fixtureHost('syslog-level/bad'), { catchAllMax: 'info' }))).toEqual([
      'the level of the console is 8; wanted is at most 7',
      `1 rule of rsyslog, ${RULE}, takes debug; wanted is at most info`,
      '1 setting of journald, MaxLevelStore=err, is not as wanted: at least info',
      '1 setting of journald, Storage=none, is not as wanted: auto, persistent or volatile',
      '1 setting of journald, RateLimitIntervalSec=0, is not as wanted: more than 0',
      'rsyslogd is configured, but none of 3 processes is rsyslogd',
    ])
  })

  it.each([
    [7, {}, []],
    [8, {}, ['ConsoleTooVerbose']],
    [0, {}, ['ConsoleTooQuiet']],
    [5, { console: { max: 4 } }, ['ConsoleTooVerbose']],
    [4, { console: { min: 5 } }, ['ConsoleTooQuiet']],
  ])('judges a console at %d with %j as %j', (consoleLevel, options, expected) => {
    expect(reasons(judge({ consoleLevel }, options))).toEqual(expected)
  })

  it.each([
    ['dockerd', '{}', ['DockerLogsUnbounded']],
    ['dockerd', undefined, ['DockerLogsUnbounded']],
    ['dockerd', '{"log-driver": "json-file", "log-opts": {"max-file": "3"}}', ['DockerLogsUnbounded']],
    ['dockerd', '{"log-opts": {"max-size": "-1"}}', ['DockerLogsUnbounded']],
    ['dockerd --log-opt max-file=3', '{}', ['DockerLogsUnbounded']],
    ['dockerd', '{"log-opts": {"max-size": "100m"}}', []],
    ['dockerd', '{"log-driver": "local"}', []],
    ['dockerd --log-driver journald', '{}', []],
    ['dockerd --log-opt max-size=1g', '{}', []],
    ['dockerd --log-opt=max-size=1g', undefined, []],
    ['dockerd', '{ // mine\n}', []],
    ['dockerd', new Error('EACCES', { cause: { code: 'EACCES' } }), []],
    ['nginx', '{}', []],
  ])('judges %s with %j as %j', async (command, config, expected) => {
    const words = `/usr/bin/${command}`.split(' ')
    const host = changed('syslog-level/ok', {
      '/etc/docker/daemon.json': config ?? new NotApplicable('there is no such file'),
    })
    const withDocker: Host = {
      ...host,
      readInt: async (path) => (path === '/run/docker.pid' ? 640 : host.readInt(path)),
      readWords: async (path) => (path === '/proc/640/cmdline' ? words : host.readWords(path)),
    }
    const unlogged = { ...withDocker, exists: async () => false }
    expect(reasons(await look(syslogLevel, unlogged))).toEqual(expected)
    expect(reasons(await look(syslogLevel, unlogged, { dockerLimited: false }))).toEqual([])
  })

  it('finds a console that is told to ignore the level', async () => {
    const host = changed('syslog-level/ok', { '/sys/module/printk/parameters/ignore_loglevel': 'Y\n' })
    expect(reasons(await look(syslogLevel, host))).toEqual(['ConsoleTooVerbose'])
  })

  it.each([
    [{ MaxLevelStore: '6' }, {}, []],
    [{ MaxLevelStore: 'notice' }, {}, ['MaxLevelStore']],
    [{}, { journalMax: 'info' }, ['MaxLevelStore']],
    [{ Storage: 'none' }, { journalKept: false }, []],
    [{ RateLimitBurst: '0' }, {}, ['RateLimitBurst']],
    [{ RateLimitIntervalSec: '0s', RateLimitBurst: '0' }, { journalLimited: false }, []],
    [{ RateLimitIntervalSec: '30s', RateLimitBurst: '10000' }, {}, []],
  ])('judges a journal with %j and %j as %j', (settings, options, expected) => {
    expect(judge({ journal: Object.entries(settings) }, options).map(({ cause }) => cause)).toEqual(expected)
  })

  it('wants no daemon that is disabled, removed, or not asked for', async () => {
    const bad = fixtureHost('syslog-level/bad')
    const down = async (host: Host, options: unknown = {}) =>
      (await look(syslogLevel, host, options)).filter(({ reason }) => reason === 'SyslogDown')
    expect(await down(bad)).toHaveLength(1)
    expect(await down(bad, { daemons: false })).toEqual([])
    expect(await down({ ...bad, exists: async (path) => path !== '/usr/sbin/rsyslogd' && bad.exists(path) })).toEqual(
      [],
    )
    const disabled = { ...bad, list: async (path: string) => (path.endsWith('.wants') ? [] : bad.list(path)) }
    expect(await down(disabled)).toEqual([])
    expect(
      await down({ ...disabled, exists: async (path) => path !== '/run/systemd/system' && bad.exists(path) }),
    ).toHaveLength(1)
  })

  it('finds a journald that does not run', async () => {
    const ok = fixtureHost('syslog-level/ok')
    const table = await ok.processes('now')
    const others = table.processes.filter(({ id }) => id !== '312')
    const host: Host = { ...ok, processes: async () => ({ ...table, processes: others }) }
    expect((await look(syslogLevel, host)).map(({ cause }) => cause)).toEqual(['systemd-journald'])
  })

  it('says what it needs where files are kept to root', async () => {
    const shut = new Error('it cannot be read: EACCES', { cause: { code: 'EACCES' } })
    const file = changed('syslog-level/ok', { '/etc/rsyslog.conf': shut })
    await expect(look(syslogLevel, file)).rejects.toBe(shut)
    const missing: Host['missing'] = async (needs) => needs
    const needs = (path: string) => new NotApplicable(`needs CAP_DAC_READ_SEARCH to read ${path}`)
    await expect(look(syslogLevel, { ...file, missing })).rejects.toThrow(needs('/etc/rsyslog.conf'))
    const folder = { ...fixtureHost('syslog-level/ok'), missing, list: () => Promise.reject(shut) }
    await expect(look(syslogLevel, folder)).rejects.toThrow(needs('/etc/rsyslog.d'))
  })

  it('does not know where it cannot read or see', async () => {
    for (const path of ['/etc/rsyslog.conf', '/etc/systemd/journald.conf', '/proc/640/status']) {
      const host = changed('syslog-level/ok', { [path]: new Error(`${path}: EACCES`) })
      await expect(look(syslogLevel, host)).rejects.toThrow('EACCES')
    }
    await expect(look(syslogLevel, fixtureHost('syslog-level/unreadable'))).rejects.toThrow(
      'does not begin with a number',
    )
    const ok = fixtureHost('syslog-level/ok')
    const hidden: Host = {
      ...ok,
      processes: () => Promise.reject(new Error('/proc does not show the processes of others')),
    }
    await expect(look(syslogLevel, hidden)).rejects.toThrow('does not show the processes of others')
    const gone = changed('syslog-level/ok', { '/etc/rsyslog.conf': new NotApplicable('gone') })
    expect(await look(syslogLevel, gone)).toEqual([])
  })

  it('refuses options that it cannot mean', () => {
    for (const wrong of [
      { console: { min: 8 } },
      { console: { max: 16 } },
      { catchAllMax: 'loud' },
      { journalMin: 3 },
    ]) {
      expect(syslogLevel.options.safeParse(wrong).success).toBe(false)
    }
  })
})

describe('configuration of logging', () => {
  it.each([
    ['*.* /var/log/all', ['debug']],
    ['*.info;mail.none;authpriv.none -/var/log/messages', ['info']],
    ['*.=debug;\\\n\tauth,authpriv.none -/var/log/debug', ['debug']],
    ['*.* @@logs.example:514', ['debug']],
    ['auth,authpriv.* /var/log/auth.log', []],
    ['*.*;*.!=debug /var/log/most', []],
    ['*.* ~', []],
    ['# *.* /var/log/all', []],
    ['if $syslogseverity <= 6 then /var/log/some.log', []],
    ['module(load="imuxsock") # provides support', []],
    ['*.emerg :omusrmsg:*', ['emerg']],
    ['*.* ', []],
  ])('%s catches all at %j', (text, expected) => {
    expect(catchAllRules(text).map(({ level }) => level)).toEqual(expected)
  })

  it('takes the last file, and the right section', () => {
    const first = '[Journal]\nStorage=none\n#MaxLevelStore=err\n; x=1\n[Upload]\nStorage=volatile'
    expect([...journalSettings([first, 'Storage=lost', '[Journal]\nStorage = persistent\nrubbish'])]).toEqual([
      ['Storage', 'persistent'],
    ])
  })

  it.each([
    ['7', 'debug'],
    ['WARN', 'warning'],
    ['panic', 'emerg'],
    ['', undefined],
    ['8', undefined],
  ])('knows %j as %s', (word, expected) => {
    expect(levelOf(word)).toBe(expected)
  })
})
