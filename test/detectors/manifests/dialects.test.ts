import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../detectors/manifests/dialects/json.ts'
import { alertsOn, parseNagios, parsePerfdata, splitOutput } from '../../../detectors/manifests/dialects/nagios.ts'
import { parseNpd } from '../../../detectors/manifests/dialects/npd.ts'
import { type MetricRule, parseTextfile, requireEnded } from '../../../detectors/manifests/dialects/textfile.ts'
import type { PluginOutput } from '../../../detectors/manifests/result.ts'

const output = (code: number | null, stdout: string, more: Partial<PluginOutput> = {}): PluginOutput => ({
  code,
  signal: null,
  stdout,
  stderr: '',
  truncated: false,
  ...more,
})

const anyOutput = fc.record({
  code: fc.option(fc.integer({ min: 0, max: 255 })),
  signal: fc.option(fc.constantFrom('SIGKILL', 'SIGSEGV')),
  stdout: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.json(),
    fc
      .array(fc.constantFrom('|', "'", '=', ';', '1', 'ok', ' ', '\n', '{', '}', '"'), { maxLength: 60 })
      .map((c) => c.join('')),
  ),
  stderr: fc.string({ maxLength: 50 }),
  truncated: fc.boolean(),
})

/** An answer of the form, or an Error that is no bug of ours. */
function answersOrSaysWhy(parse: () => readonly { readonly message: string }[]): void {
  try {
    for (const { message } of parse()) expect(message).not.toMatch(/undefined|\[object|\p{Cc}/u)
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(TypeError)
    expect((error as Error).message).not.toMatch(/undefined|\[object|\p{Cc}/u)
  }
}

describe('npd', () => {
  it.each([
    [0, 'chrony is up\n', 'ok', 'chrony is up'],
    [1, '\n  chrony is not running \nmore\n', 'problem', 'chrony is not running'],
    [1, '', 'problem', 'exit code 1'],
    [1, 'red \x1b[31malert\x07\n', 'problem', 'red [31malert'],
  ])('of exit code %i and %j says %s: %s', (code, stdout, state, message) => {
    expect(parseNpd(output(code, stdout))).toEqual([
      { state, cause: '', message, evidence: [{ name: 'exit code', value: code, unit: '' }] },
    ])
  })

  it.each([
    [output(2, 'no systemctl here\n'), 'it exited with 2: no systemctl here'],
    [output(126, '', { stderr: 'denied\n' }), 'it exited with 126: denied'],
    [output(3, ''), 'it exited with 3 and said nothing'],
    [output(null, 'half', { signal: 'SIGSEGV' }), 'it was ended by SIGSEGV'],
    [output(null, 'x', { signal: 'SIGKILL', truncated: true }), 'it said more than it may'],
  ])('does not know by %j', (given, why) => {
    expect(() => parseNpd(given)).toThrow(why)
  })

  it('survives anything', () => fc.assert(fc.property(anyOutput, (given) => answersOrSaysWhy(() => parseNpd(given)))))
})

describe('nagios', () => {
  it('reads what check_disk of Monitoring Plugins 2.3.3 says', () => {
    const said =
      'DISK WARNING - free space: / 75778MiB (72% inode=96%); /boot 1024MiB (12% inode=99%);|' +
      '/=29483859968B;2705525309;108221012377;0;110429604467 /boot=939524096B;1063004405;1084479242;0;1095216660\n'
    expect(parseNagios(output(1, said))).toEqual([
      {
        state: 'warning',
        cause: '',
        message: 'DISK WARNING - free space: / 75778MiB (72% inode=96%); /boot 1024MiB (12% inode=99%);',
        evidence: [
          { name: 'exit code', value: 1, unit: '' },
          // Over its threshold, so it comes first.
          { name: '/', value: 29_483_859_968, limit: 2_705_525_309, unit: 'B' },
          { name: '/boot', value: 939_524_096, limit: 1_063_004_405, unit: 'B' },
        ],
      },
    ])
  })

  it('reads what check_ntp_time and check_procs say, with ranges', () => {
    const ntp = 'NTP CRITICAL: Offset 2.34 secs|offset=2.340000s;60.000000;120.000000;'
    expect(parseNagios(output(2, ntp))[0]).toMatchObject({
      state: 'critical',
      message: 'NTP CRITICAL: Offset 2.34 secs',
    })
    const [procs] = parseNagios(output(1, 'PROCS WARNING: 108 processes | procs=108;1:2;@1:5;0;\n'))
    expect(procs?.evidence[1]).toEqual({ name: 'procs', value: 108, limit: '1:2', unit: '' })
  })

  it('takes text and figures from several lines as the guidelines have it', () => {
    const said =
      'DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n/ 15272 MB (77%);\n/boot 68 MB (69%);\n/home 69357 MB (27%) | /boot=68MB;88;93;0;98\n/home=69357MB;253404;253409;0;253414\n'
    const { text, perfdata } = splitOutput(said)
    expect(text).toBe('DISK OK - free space: / 3326 MB (56%);')
    expect(parsePerfdata(perfdata).map(({ label, value }) => [label, value])).toEqual([
      ['/', 2643],
      ['/boot', 68],
      ['/home', 69357],
    ])
    expect(splitOutput('\nsecond line\n').text).toBe('second line')
  })

  it.each([
    ["'free space'=12%;10:;5:", [{ label: 'free space', value: 12, unit: '%', warn: '10:', crit: '5:' }]],
    ["'a  b'=1", [{ label: 'a  b', value: 1, unit: '', warn: '', crit: '' }]],
    ["'a\x1b[31m\tb'=1", [{ label: 'a [31m b', value: 1, unit: '', warn: '', crit: '' }]],
    ["'it''s'=1", [{ label: "it's", value: 1, unit: '', warn: '', crit: '' }]],
    ['a=-1.5e3us;;;0;', [{ label: 'a', value: -1500, unit: 'us', warn: '', crit: '' }]],
    [
      'a=U b=7c',
      [
        { label: 'a', value: undefined, unit: '', warn: '', crit: '' },
        { label: 'b', value: 7, unit: 'c', warn: '', crit: '' },
      ],
    ],
    [
      'rta=0.044ms;100;500;; pl=0%;20;60;;',
      [
        { label: 'rta', value: 0.044, unit: 'ms', warn: '100', crit: '500' },
        { label: 'pl', value: 0, unit: '%', warn: '20', crit: '60' },
      ],
    ],
    ['nonsense =1 a= b=x c=1,5 d=1.2.3', []],
  ])('of %j reads the figures', (text, expected) => {
    expect(parsePerfdata(text)).toEqual(expected)
  })

  it.each([
    ['10', [0, 10], [-1, 11]],
    ['10:', [10, 1e9], [9, -5]],
    ['~:10', [-1e9, 10], [11]],
    ['10:20', [10, 20], [9, 21]],
    ['@10:20', [9, 21], [10, 15, 20]],
    ['@10', [-1, 11], [0, 10]],
    ['-5:-1', [-5, -1], [0, -6]],
  ])('the range %s alerts not on %j and on %j', (range, fine, alert) => {
    expect(fine.map((value) => alertsOn(range, value))).toEqual(fine.map(() => false))
    expect(alert.map((value) => alertsOn(range, value))).toEqual(alert.map(() => true))
  })

  it('knows what is no range', () => {
    for (const text of ['', '@', 'x', '1:2:3', '~', '1,5']) expect(alertsOn(text, 1)).toBeUndefined()
  })

  it.each([
    [output(3, 'NTP UNKNOWN'), 'it exited with 3: NTP UNKNOWN'],
    [output(127, '', { stderr: 'no such library' }), 'it exited with 127: no such library'],
    [output(null, '', { signal: 'SIGKILL' }), 'it was ended by SIGKILL'],
  ])('does not know by %j', (given, why) => {
    expect(() => parseNagios(given)).toThrow(why)
  })

  it('survives anything', () =>
    fc.assert(fc.property(anyOutput, (given) => answersOrSaysWhy(() => parseNagios(given)))))

  it('reads back any label and figure', () =>
    fc.assert(
      fc.property(
        fc
          .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 })
          .filter((text) => text.trim() === text && !text.includes('=')),
        fc.integer(),
        (label, value) => {
          const [datum] = parsePerfdata(`'${label.replaceAll("'", "''")}'=${value}B;1;2`)
          expect(datum).toEqual({ label, value, unit: 'B', warn: '1', crit: '2' })
        },
      ),
    ))
})

describe('json', () => {
  const said = (value: unknown) => parseJson(output(0, JSON.stringify(value)))

  it('reads one result and several', () => {
    expect(said({ status: 'ok' })).toEqual([{ state: 'ok', cause: '', message: 'fine', evidence: [] }])
    expect(
      said([
        { status: 'problem', reason: 'FanStopped', cause: 'fan2', message: 'stands still', metrics: { rpm: 0 } },
        { status: 'ok', cause: 'fan1', evidence: [{ name: 'rpm', value: 2000, limit: 300, unit: 'rpm' }] },
      ]),
    ).toEqual([
      { state: 'FanStopped', cause: 'fan2', message: 'stands still', evidence: [{ name: 'rpm', value: 0, unit: '' }] },
      {
        state: 'ok',
        cause: 'fan1',
        message: 'fine',
        evidence: [{ name: 'rpm', value: 2000, limit: 300, unit: 'rpm' }],
      },
    ])
    expect(said([])).toEqual([])
  })

  it.each([
    [{ status: 'ok', mesage: 'x' }, 'its answer: unknown key "mesage"; did you mean "message"?'],
    [[{ status: 'ok' }, { status: 'ok', evidence: [{ nme: 'x' }] }], 'its answer.1.evidence.0'],
    [{ status: 'fine' }, 'its answer.status: '],
    [{ status: 'problem' }, 'a problem in its answer has no reason'],
    [
      [
        { status: 'problem', reason: 'A' },
        { status: 'unknown', message: 'no rights' },
      ],
      'no rights',
    ],
    [{ status: 'unknown' }, 'it says that it does not know'],
    [7, 'its answer: '],
    [null, 'its answer: '],
    [Array(1_001).fill({ status: 'ok' }), 'over 1000 results'],
  ])('does not know by %j', (value, why) => {
    expect(() => said(value)).toThrow(why)
  })

  it('does not take half an answer, nor that of a program that failed', () => {
    expect(() => parseJson(output(0, '{"status": "ok"'))).toThrow('its answer is no JSON')
    expect(() => parseJson(output(0, ' \n'))).toThrow('it said nothing')
    expect(() => parseJson(output(1, '{"status": "ok"}'))).toThrow('it exited with 1')
  })

  it('survives anything', () => fc.assert(fc.property(anyOutput, (given) => answersOrSaysWhy(() => parseJson(given)))))
})

describe('textfile', () => {
  const rule = (more: Partial<MetricRule>): MetricRule => ({
    metric: 'smartmon_device_smart_healthy',
    labels: {},
    reason: 'DiskSick',
    cause: ['disk'],
    optional: false,
    ...more,
  })
  // As smartmon.py of node-exporter's textfile collector scripts writes it.
  const text = `# HELP smartmon_device_smart_healthy SMART metric device_smart_healthy
# TYPE smartmon_device_smart_healthy gauge
smartmon_device_smart_healthy{disk="/dev/sda",type="sat"} 1
smartmon_device_smart_healthy{disk="/dev/sdb",type="sat"} 0
smartmon_temperature_celsius_raw_value{disk="/dev/sda",type="sat"} 3.300000e+01
`
  const faults = (given: string, ...rules: readonly MetricRule[]) =>
    parseTextfile(given, rules).flatMap(({ state, cause, message }) =>
      state === 'ok' ? [] : [`${state} ${cause}: ${message}`],
    )

  it('holds figures against rules', () => {
    const series = 'smartmon_device_smart_healthy{disk="/dev/sdb",type="sat"}'
    expect(faults(text, rule({ equals: 0 }))).toEqual([`DiskSick /dev/sdb: ${series} is 0, which is 0`])
    expect(faults(text, rule({ below: 1 }))).toEqual([`DiskSick /dev/sdb: ${series} is 0, below 1`])
    expect(faults(text, rule({ equals: 0, labels: { disk: '/dev/sda' } }))).toEqual([])
    const hot = rule({ metric: 'smartmon_temperature_celsius_raw_value', above: 30, cause: ['disk', 'type'] })
    expect(faults(text, hot)).toHaveLength(1)
    expect(faults(text, { ...hot, above: 33 })).toEqual([])
  })

  it('does not know a metric that is not there, unless it may be missing', () => {
    const gone = rule({ metric: 'smartmon_smartctl_run', above: 0, labels: { disk: '/dev/sda' } })
    expect(() => faults(text, gone)).toThrow('there is no smartmon_smartctl_run{disk="/dev/sda"}')
    expect(faults(text, { ...gone, optional: true })).toEqual([])
  })

  it('does not know NaN, a line that is no metric, and half a file', () => {
    expect(() => faults('smartmon_device_smart_healthy NaN\n', rule({ equals: 0 }))).toThrow('is NaN')
    expect(() => faults('smartmon_device_smart_healthy{disk="\n', rule({ equals: 0 }))).toThrow('line 1 is no metric')
    expect(() => requireEnded('a 1\nb')).toThrow('cut off')
    expect(() => requireEnded('')).toThrow('it is empty')
  })

  it('survives anything', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) =>
        answersOrSaysWhy(() => parseTextfile(given, [rule({ equals: 0, optional: true })])),
      ),
    ))
})
