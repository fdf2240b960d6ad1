import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../common/errors.ts'
import { describeTouches } from '../../../detectors/catalogue.ts'
import { type Host, NotApplicable, type RunOptions } from '../../../detectors/contract.ts'
import { readPluginManifest } from '../../../detectors/manifests/manifest.ts'
import { fixtureHost, look } from '../fixture-host.ts'

const REASONS = `
reasons:
  LoadHigh: { severity: warn, sustain: 5m, summary: Many processes wait., runbook: "https://example.org/load" }
  LoadVeryHigh: { severity: alarm, summary: Too many wait., runbook: Find them with top., supersedes: LoadHigh }
`
const NAGIOS = `name: check-load
version: 2.3.3
summary: How many processes want to run.
dialect: nagios
command: [/usr/lib/nagios/plugins/check_load, -w, '5,4,3']
every: 30s
timeout: 5s
touches: { paths: [/proc/loadavg], peers: [udp/192.0.2.1:123] }
states: { warning: LoadHigh, critical: LoadVeryHigh }${REASONS}`
const TEXTFILE = `name: raid
version: 1.0.0
summary: Whether a RAID lost a disk.
dialect: textfile
file: /var/lib/node_exporter/*.prom
rules:
  - { metric: node_md_disks, labels: { state: failed }, above: 0, reason: ArrayDegraded, cause: [device] }
reasons:
  ArrayDegraded: { severity: alarm, summary: A disk is gone., runbook: Look at it. }
`
const LOG = `name: app-log
version: 1.0.0
summary: What the application complains of.
dialect: log
source: { from: kmsg }
rules:
  - { pattern: 'disk (?<cause>\\w+) failed', clear: 'disk (?<cause>\\w+) is back', reason: DiskFailed, times: 2, hold: 1m }
reasons:
  DiskFailed: { severity: alarm, summary: A disk failed., runbook: Look at it. }
`
const read = (text: string) => readPluginManifest(text, '/etc/starling/plugins.d/x.yaml')

function errorOf(text: string): string {
  try {
    read(text)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return error.remedy === undefined ? error.message : `${error.message} (${error.remedy})`
  }
  return 'no error'
}

describe('a manifest of a program', () => {
  it('is a detector like others', () => {
    const detector = read(NAGIOS)
    expect(detector).toMatchObject({
      name: 'check-load',
      version: '2.3.3',
      every: '30s',
      timeout: '5s',
      needs: [],
      touches: {
        paths: ['/proc/loadavg'],
        writes: [],
        commands: ['/usr/lib/nagios/plugins/check_load'],
        services: ['udp/192.0.2.1:123'],
      },
      reasons: {
        LoadHigh: { severity: 'warn', sustain: '5m' },
        LoadVeryHigh: { sustain: '0s', supersedes: 'LoadHigh' },
      },
    })
    expect(detector.options.parse({})).toEqual({ args: ['-w', '5,4,3'] })
    expect(detector.options.safeParse({ arguments: [] }).success).toBe(false)
  })

  it('runs its program within its limits, with the arguments that settings give', async () => {
    const runs: unknown[] = []
    const host: Host = {
      ...fixtureHost('empty'),
      run: async (command, { bytesMax, limits }: RunOptions) => {
        runs.push({ command, bytesMax, limits })
        return { code: 2, signal: null, stdout: 'LOAD CRITICAL|load1=9;5;8\n', stderr: '', truncated: false }
      },
    }
    const judgements = await look(
      read(`${NAGIOS}\ncaps: { output: 4Ki, memory: 1Gi, cpu: 2500ms, writes: '0' }\nnetwork: none`),
      host,
      {
        args: ['-c', '8'],
      },
    )
    // Worse includes bad: each has a sustain of its own.
    expect(judgements.map(({ reason, summary }) => [reason, summary])).toEqual([
      ['LoadHigh', 'LOAD CRITICAL'],
      ['LoadVeryHigh', 'LOAD CRITICAL'],
    ])
    expect(runs).toEqual([
      {
        command: ['/usr/lib/nagios/plugins/check_load', '-c', '8'],
        bytesMax: 4096,
        limits: {
          ...{ memoryBytes: 1024 ** 3, cpuSeconds: 3, fileBytes: 0, asNobody: true, withoutNetwork: true },
          sees: { paths: ['/proc/loadavg'], writes: [], commands: [] },
        },
      },
    ])
  })

  it('is shown to touch everything when it does not say what', () => {
    const text = NAGIOS.replace(/^touches:.*\n/m, '')
    expect(describeTouches(read(text).touches)).toBe(
      '/**, writing to /**, the program /usr/lib/nagios/plugins/check_load, the program /**',
    )
  })

  it('does not apply where its program is not, and names it when it does not know', async () => {
    await expect(look(read(NAGIOS), fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    const commands = { '/usr/lib/nagios/plugins/check_load -w 5,4,3': { code: 3, stdout: 'no /proc' } }
    await expect(look(read(NAGIOS), fixtureHost('empty', { commands }))).rejects.toThrow(
      '/usr/lib/nagios/plugins/check_load: it exited with 3: no /proc',
    )
  })

  it('does not take a reason that its manifest does not have', () => {
    const detector = read(NAGIOS.replace('nagios', 'json').replace(/states:.*/, ''))
    const sample = [{ state: 'Other', cause: '', message: 'x', evidence: [] }]
    expect(() => detector.judge(sample, {}, [])).toThrow('Other is none of the reasons in its manifest')
  })
})

describe('a manifest of a file of metrics', () => {
  const files = (content: Readonly<Record<string, string>>, ages: Readonly<Record<string, number>> = {}): Host => ({
    ...fixtureHost('empty'),
    list: async () => Object.keys(content),
    age: async (path) => ages[path] ?? 0,
    readText: async (path) => content[path.slice('/var/lib/node_exporter/'.length)] ?? '',
  })
  const failed = 'node_md_disks{device="md0",state="failed"} 1\n'

  it('reads all files of the name', async () => {
    const host = files({ 'b.prom': 'up 1\n', 'a.prom': failed, 'a.prom.123': 'half', 'c.txt': '?' })
    expect((await look(read(TEXTFILE), host)).map(({ reason, cause }) => [reason, cause])).toEqual([
      ['ArrayDegraded', 'md0'],
    ])
    await expect(look(read(TEXTFILE), files({}))).rejects.toThrow(NotApplicable)
  })

  it('does not know a file that is stale or cut off', async () => {
    const path = '/var/lib/node_exporter/a.prom'
    await expect(look(read(TEXTFILE), files({ 'a.prom': failed }, { [path]: 901_000 }))).rejects.toThrow(
      `${path} was last written 15m ago`,
    )
    await expect(look(read(TEXTFILE), files({ 'a.prom': failed.trim() }))).rejects.toThrow(
      `${path}: its last line is cut`,
    )
  })
})

describe('a manifest of a log', () => {
  const lines = (...texts: readonly [ageMs: number, text: string][]) =>
    fixtureHost('empty', { logs: { kmsg: texts.map(([ageMs, text]) => ({ ageMs, text })) } })

  it('counts lines of one cause until one says that it is over', async () => {
    const twice: [number, string][] = [
      [50_000, 'disk a failed'],
      [40_000, 'disk b failed'],
      [30_000, 'disk a failed'],
    ]
    expect(await look(read(LOG), lines(...twice))).toEqual([
      {
        reason: 'DiskFailed',
        cause: 'a',
        summary: '2 lines within 1m, the last 30s ago: disk a failed',
        evidence: [
          { name: 'lines', value: 2, limit: 2, unit: 'lines' },
          { name: 'since the last', value: 30, unit: 's' },
        ],
      },
    ])
    expect(await look(read(LOG), lines(...twice, [1_000, 'disk a is back']))).toEqual([])
    expect(await look(read(LOG), lines(...twice, [1_000, 'disk b is back']))).toHaveLength(1)
    expect(await look(read(LOG), lines([61_000, 'disk a failed'], [1_000, 'disk a failed']))).toEqual([])
  })

  it('does not apply without the log, and does not know when lines were lost', async () => {
    await expect(look(read(LOG), fixtureHost('empty'))).rejects.toThrow(NotApplicable)
    await expect(look(read(LOG), fixtureHost('empty', { logs: { kmsg: 'lost 7' } }))).rejects.toThrow('lost 7')
  })
})

describe('a manifest that is wrong', () => {
  it.each([
    [
      NAGIOS.replace('dialect: nagios', 'dialect: nagois'),
      ':4: dialect: must be one of npd, nagios, json, textfile and log',
    ],
    [NAGIOS.replace('every:', 'evry:'), ':6: unknown key "evry" (did you mean "every"?)'],
    [NAGIOS.replace('paths:', 'pths:'), ':8: touches: unknown key "pths" (did you mean "paths"?)'],
    [
      NAGIOS.replace('severity: warn', 'severty: warn'),
      ':11: reasons.LoadHigh: unknown key "severty" (did you mean "severity"?)',
    ],
    [
      NAGIOS.replace('warning: LoadHigh', 'warning: LoadHihg'),
      ':9: states.warning is LoadHihg, which is none of its reasons (did you mean "LoadHigh"?)',
    ],
    [NAGIOS.replace('[/usr/lib', '[usr/lib'), ':5: command.0: must be an absolute path without ..'],
    [NAGIOS.replace('[/usr/lib', '[/usr/../lib'), ':5: command.0: must be an absolute path without ..'],
    [NAGIOS.replace(/command: .*/, ''), 'command: is not set'],
    [NAGIOS.replace(/summary: How.*/, ''), 'summary: is not set'],
    [NAGIOS.replace('timeout: 5s', 'timeout: 31s'), ':7: timeout is longer than every'],
    [NAGIOS.replace('timeout: 5s', 'timeout: soon'), ':7: timeout: write a number and ms, s, m, h or d, as in 30s'],
    [NAGIOS.replace('supersedes: LoadHigh', 'supersedes: LoadVeryHigh'), 'must be a milder reason than LoadVeryHigh'],
    [`${NAGIOS}\ncaps: { memory: lots }`, 'caps.memory: write a whole number and Ki, Mi or Gi, as in 64Ki'],
    [`${NAGIOS}\ncaps: { memory: 1Ki }`, 'caps.memory: must lie between'],
    [NAGIOS.replaceAll('LoadHigh', 'Ok'), 'reasons.Ok is a reason of the engine itself'],
    [NAGIOS.replaceAll('LoadHigh', 'loadHigh'), 'reasons'],
    [NAGIOS.replace('name: check-load', 'name: Check_Load'), ':1: name: must be kebab-case, as in check-fans'],
    [TEXTFILE.replace('above: 0,', ''), ':7: rules.0: must have one of above, below and equals'],
    [TEXTFILE.replace('above: 0,', 'above: 0, below: 1,'), ':7: rules.0: must have one of above, below and equals'],
    [TEXTFILE.replace(/file: .*/, ''), 'a textfile plugin has either file or command'],
    [`${TEXTFILE}command: [/bin/true]\n`, 'a textfile plugin has either file or command'],
    [
      LOG.replace('reason: DiskFailed', 'reason: DiskFaild'),
      ':7: rules.0.reason is DiskFaild, which is none of its reasons (did you mean "DiskFailed"?)',
    ],
    [
      LOG.replace("'disk (?<cause>\\w+) failed'", "'(a+)+b disk'"),
      ':7: rules.0.pattern: repeats what itself repeats without a bound',
    ],
    [LOG.replace('from: kmsg', 'from: kmesg'), ':5: source.from'],
    ['{', 'not valid YAML'],
    ['- 1', 'must hold keys and values'],
    ['', 'dialect: must be one of'],
  ])('%#: is refused with the place', (text, why) => {
    const error = errorOf(text)
    expect(error).toContain('/etc/starling/plugins.d/x.yaml')
    expect(error).toContain(why)
  })
})
