import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newFolder } from './local-mesh.ts'
import { starling } from './starling.ts'

let dir: string
beforeEach(() => {
  dir = newFolder()
})
afterEach(() => rmSync(dir, { recursive: true }))

/** Writes a file of the test's own and returns its path. */
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

describe('starling up, given settings that are wrong', () => {
  const mesh = () => join(dir, 'mesh')
  const up = async (...flags: readonly string[]) => starling(['up', '--dir', mesh(), ...flags])

  it.each([
    {
      name: 'no YAML',
      text: 'version: 1\nmesh: [local\n',
      says: /^starling: (\S+settings\.yaml):\d: not valid YAML: /,
    },
    {
      name: 'an unknown key',
      text: 'version: 1\nmesh: local\ndetecters: {}\n',
      says: /^starling: \S+settings\.yaml: unknown key "detecters"\n {2}did you mean "detectors"\?\n$/,
    },
    {
      name: 'an unknown detector',
      text: 'version: 1\nmesh: local\ndetectors: {contrack: {}}\n',
      says: /^starling: \S+settings\.yaml: detectors: unknown key "contrack"\n {2}did you mean "conntrack"\?\n$/,
    },
    {
      name: 'an unknown option',
      text: 'version: 1\nmesh: local\ndetectors: {conntrack: {options: {warnRation: 0.5}}}\n',
      says: /^starling: \S+settings\.yaml: detectors\.conntrack\.options: unknown key "warnRation"\n {2}did you mean "warnRatio"\?\n$/,
    },
    {
      name: 'an unknown mode',
      text: 'version: 1\nmesh: local\nremediators: {sysctl: {mode: always}}\n',
      says: /^starling: \S+settings\.yaml: remediators\.sysctl\.mode: must be one of observe, suggest, approve, auto\n$/,
    },
    {
      name: 'another mesh',
      text: 'version: 1\nmesh: prod-a\n',
      says: /^starling: \S+settings\.yaml: mesh is prod-a, this is local\n {2}set mesh: local\n$/,
    },
    { name: 'no version', text: 'mesh: local\n', says: /^starling: \S+settings\.yaml: version: / },
  ])('says so of $name, and starts nothing', async ({ text, says }) => {
    const { code, stdout, stderr } = await up('--settings', file('settings.yaml', text))
    expect(stderr).toMatch(says)
    expect([code, stdout]).toEqual([2, ''])
    expect(existsSync(mesh())).toBe(false)
  })

  it('says so of a file that is not there', async () => {
    const { code, stderr } = await up('--settings', join(dir, 'none.yaml'))
    expect(stderr).toBe(
      `starling: cannot read ${dir}/none.yaml: ENOENT: no such file or directory, stat '${dir}/none.yaml'\n`,
    )
    expect(code).toBe(2)
    expect(existsSync(mesh())).toBe(false)
  })

  it('says so of the settings that the mesh had before', async () => {
    mkdirSync(mesh())
    writeFileSync(join(mesh(), 'settings.yaml'), 'version: 2\nmesh: local\nremediatiors: {}\n')
    const { code, stderr } = await up()
    expect(stderr).toContain('did you mean "remediators"?')
    expect(code).toBe(2)
    expect(existsSync(join(mesh(), 'node-1'))).toBe(false)
  })

  it.each([
    { flags: ['--nodes', '0'], says: '--nodes is 0' },
    { flags: ['--nodes', 'many'], says: '--nodes is NaN' },
    { flags: ['--http-port', '0x'], says: "argument '0x' is invalid" },
    { flags: ['--mesh-port', '70000'], says: "argument '70000' is invalid" },
    { flags: ['--kubelet-port', '1.5'], says: "argument '1.5' is invalid" },
    { flags: ['--setings', 'x'], says: '(Did you mean --settings?)' },
  ])('says so of $flags', async ({ flags, says }) => {
    const { code, stdout, stderr } = await up(...flags)
    expect(stderr).toContain(says)
    expect([code, stdout]).toEqual([2, ''])
    expect(existsSync(mesh())).toBe(false)
  })
})

describe('starling up, given a file for its aggregator that is wrong', () => {
  it.each([
    {
      name: 'an unknown part',
      text: 'sink: {}\n',
      says: 'aggregator.yaml:1: unknown key "sink"\n  did you mean "sinks"?\n',
    },
    {
      name: 'a part that is the own of the mesh',
      text: 'http: {port: 1}\n',
      says: 'aggregator.yaml:1: unknown key "http"\n  valid keys: page, mail, sinks, reports\n',
    },
    {
      name: 'a sink without an address',
      text: 'sinks:\n  chat: {kind: slack}\n',
      says: 'aggregator.yaml:2: sinks.chat: give one of url, urlFile and urlEnv\n',
    },
    {
      name: 'a report that goes nowhere',
      text: 'reports:\n- {name: daily, kind: inspection, schedule: {cron: 0 8 * * *}, to: []}\n',
      says: 'aggregator.yaml:2: reports.0.to: goes nowhere: name at least one mail, file or webhook\n',
    },
  ])('says so of $name, and starts nothing', async ({ text, says }) => {
    const mesh = join(dir, 'mesh')
    const { code, stdout, stderr } = await starling([
      'up',
      '--dir',
      mesh,
      '--aggregator',
      file('aggregator.yaml', text),
    ])
    expect(stderr).toBe(`starling: ${dir}/${says}`)
    expect([code, stdout]).toEqual([2, ''])
    expect(existsSync(mesh)).toBe(false)
  })
})

describe('starling agent, given a configuration that is wrong', () => {
  const agent = (text: string) => starling(['agent', '--config', file('agent.yaml', text)])

  it.each([
    {
      name: 'an unknown key',
      text: 'mesh: {id: local}\nlog:\n  level: info\n  fromat: json\n',
      says: 'agent.yaml:4: log: unknown key "fromat"\n  did you mean "format"?\n',
    },
    {
      name: 'an unknown part',
      text: 'mesh: {id: local}\nmertics: {port: 1}\n',
      says: 'agent.yaml:2: unknown key "mertics"\n  did you mean "metrics"?\n',
    },
    { name: 'no YAML', text: 'mesh: {id: local\n', says: /agent\.yaml:\d: not valid YAML: [^\n]+\n$/ },
    {
      name: 'nothing of what it needs',
      text: '',
      says: /agent\.yaml: mesh\.id is not set\n {2}set mesh\.id in \S+agent\.yaml, or STARLING_MESH_ID in the environment\n$/,
    },
    {
      name: 'a wrong port',
      text: 'mesh: {id: local}\nmetrics: {port: 0}\n',
      says: /agent\.yaml:2: metrics\.port: [^\n]+\n$/,
    },
    {
      name: 'an address that is none',
      text: 'mesh: {id: local, listen: [7790]}\n',
      says: /agent\.yaml:1: mesh\.listen/,
    },
  ])('says so of $name, in one line that names file and key', async ({ text, says }) => {
    const { code, stdout, stderr } = await agent(text)
    if (typeof says === 'string') expect(stderr).toBe(`starling: ${dir}/${says}`)
    else expect(stderr).toMatch(says)
    expect(stderr.split('\n').length).toBeLessThanOrEqual(3)
    expect([code, stdout]).toEqual([2, ''])
  })

  it('says what of its identity is missing, and does not run', async () => {
    const stateDir = join(dir, 'state')
    const { code, stdout, stderr } = await agent(`mesh: {id: local}\nstateDir: ${stateDir}\n`)
    expect(stderr).toBe(
      `starling: ${stateDir}/identity.key: ENOENT: no such file or directory, open '${stateDir}/identity.key'\n` +
        `  enrol this node: ${stateDir} must hold its identity\n`,
    )
    expect([code, stdout]).toEqual([1, ''])
  })
})

describe('starling chaos', () => {
  it('says that no mesh runs', async () => {
    const { code, stdout, stderr } = await starling(['chaos', 'kill', 'node-3', '--dir', dir])
    expect(stderr).toBe(`starling: no mesh runs from ${dir}\n  start one with npm start, or give its --dir\n`)
    expect([code, stdout]).toEqual([1, ''])
  })

  it('says that there is no such fault', async () => {
    const { code, stderr } = await starling(['chaos', 'explode', 'node-3', '--dir', dir])
    expect(stderr).toContain("unknown command 'explode'")
    expect(code).toBe(2)
  })
})
