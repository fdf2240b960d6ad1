/** The kit for authors of plugins, with the program as it is built, in an empty folder far from sources and packages. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPage } from './browser.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { cleanEnvironment } from './starling.ts'

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const BUILD = fileURLToPath(new URL('../../scripts/build-program.ts', import.meta.url))

let built: string
let program: string
let folder: string
beforeAll(() => {
  buildPage()
  built = newFolder()
  folder = newFolder()
  program = join(built, 'starling.mjs')
  // As from a terminal: this test runner's own variables would make it another build.
  execFileSync(process.execPath, [BUILD, built], { env: { PATH: process.env.PATH } })
}, TURN_WITHIN_MS)
afterAll(() => {
  for (const each of [built, folder]) rmSync(each, { recursive: true, force: true })
})

function plugin(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'plugin', ...args], {
    cwd: folder,
    env: cleanEnvironment(),
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(folder, file), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(folder, file), text.replaceAll(from, to))
}

describe('a plugin', () => {
  it.each([
    ['mail-queue', 'ts', 'mail-queue.ts'],
    ['job-queue', 'sh', 'job-queue.yaml'],
  ])('%s in %s passes its own tests as created', (name, lang, file) => {
    expect(plugin('new', name, '--lang', lang).code).toBe(0)
    const { code, stdout, stderr } = plugin('test', file)
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringMatching(/\n\d+ passed, 0 failed \(seed \d+\)\n$/)])
    expect(stdout).toContain('does not flap')
    expect(stdout).toContain('with the figures')
  })

  it('is checked by its types as created, and a wrong field or reason is an error there', () => {
    const check = () => spawnSync(process.execPath, [TSC, '--project', '.'], { cwd: folder, encoding: 'utf8' }).stdout
    expect(check()).toBe('')
    edit('mail-queue.ts', "every: '30s'", "evry: '30s'")
    expect(check()).toMatch(/^mail-queue\.ts\(\d+,\d+\): error .*'evry' does not exist in type 'Detector</m)
    edit('mail-queue.ts', "evry: '30s'", "every: '30s'")
    edit('mail-queue.ts', "reason: 'MailQueueLong'", "reason: 'MailQueueLog'")
    expect(check()).toMatch(/^mail-queue\.ts\(.*MailQueueLog/m)
    edit('mail-queue.ts', "reason: 'MailQueueLog'", "reason: 'MailQueueLong'")
    edit('mail-queue.test.ts', 'judgement.summary', 'judgement.sumary')
    expect(check()).toMatch(/^mail-queue\.test\.ts\(.*sumary/m)
    edit('mail-queue.test.ts', 'judgement.sumary', 'judgement.summary')
  })

  it('leaves a tsconfig.json as somebody has it', () => {
    const other = newFolder()
    writeFileSync(join(other, 'tsconfig.json'), '{}')
    const { status } = spawnSync(process.execPath, [program, 'plugin', 'new', 'mail-queue'], { cwd: other })
    expect([status, readFileSync(join(other, 'tsconfig.json'), 'utf8')]).toEqual([0, '{}'])
    rmSync(other, { recursive: true, force: true })
  })

  it('is not written over', () => {
    expect(plugin('new', 'mail-queue')).toMatchObject({ code: 2, stderr: expect.stringContaining('there already') })
  })

  it('does not take the name of one that ships', () => {
    expect(plugin('new', 'disk-usage')).toMatchObject({ code: 2, stderr: expect.stringContaining('already') })
    expect(existsSync(join(folder, 'disk-usage.ts'))).toBe(false)
  })

  it('fails its tests when it is wrong, and says where', () => {
    edit('mail-queue.ts', 'waiting < limit', 'waiting <= limit')
    const { code, stdout } = plugin('test', 'mail-queue.ts', '--seed', '1')
    edit('mail-queue.ts', 'waiting <= limit', 'waiting < limit')
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/✖ warns from the limit on\n.*\n[\s\S]*, 1 failed \(seed 1\)/),
    ])
  })

  it('fails the conformance suite when it breaks a rule of all', () => {
    edit('mail-queue.ts', "paths: ['/var/lib/mail-queue/queue']", "paths: ['/etc/hosts']")
    const { code, stdout } = plugin('test', 'mail-queue.ts')
    edit('mail-queue.ts', "paths: ['/etc/hosts']", "paths: ['/var/lib/mail-queue/queue']")
    expect([code, stdout]).toEqual([1, expect.stringContaining('is not among what it says that it touches')])
  })

  it('has a page of its own', () => {
    expect(plugin('docs', 'mail-queue.ts').stdout).toContain('| `MailQueueLong` | warn | 1m |')
  })

  it('is tested with what was recorded on a real host', () => {
    const { code, stdout } = plugin('record', 'disk-usage', '--here', '--out', 'recorded')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/\d+ files?, /)])
    const args = [program, 'detectors', 'run', 'disk-usage', '--host-root', join(folder, 'recorded'), '-o', 'json']
    const again = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const { items } = JSON.parse(again.stdout) as { items: { status: string; facts: unknown }[] }
    expect(items[0]?.facts).toEqual(expect.anything())
    expect(stdout).toContain(` ${items[0]?.status}  disk-usage`)
  })
})

describe('docs/write-a-detector.md', () => {
  const page = readFileSync(new URL('../../docs/write-a-detector.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/^```(sh|ts)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({
    kind,
    text,
  }))

  it(
    'does what it says, block by block',
    () => {
      const place = newFolder()
      for (const { kind, text } of blocks) {
        const file = /^\/\/ (\S+)\n/.exec(text)
        if (kind === 'ts') {
          writeFileSync(join(place, file?.[1] ?? ''), text)
          continue
        }
        const script = `set -e\nstarling() { '${process.execPath}' '${program}' "$@"; }\n${text}`
        const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], {
          cwd: place,
          env: cleanEnvironment(),
          encoding: 'utf8',
        })
        expect([status, stderr.replace(/^it touches .*\n/, '')], `${text}\n${stdout}`).toEqual([0, ''])
      }
      rmSync(place, { recursive: true, force: true })
      expect(blocks.length).toBe(9)
      // A dozen programs, one after the other.
    },
    TURN_WITHIN_MS,
  )
})

describe('a plugin under development in a mesh', { timeout: TURN_WITHIN_MS }, () => {
  let mesh: LocalMesh
  let dev: ChildProcess
  let said = ''
  beforeAll(async () => {
    const host = join(folder, 'host')
    mkdirSync(join(host, 'var/lib/mail-queue'), { recursive: true })
    writeFileSync(join(host, 'var/lib/mail-queue/queue'), '140\n')
    for (const name of ['etc', 'proc/1']) mkdirSync(join(host, name), { recursive: true })
    writeFileSync(join(host, 'proc/1/mountinfo'), '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n')
    writeFileSync(join(host, 'etc/fstab'), '//10.9.8.7/share /mnt cifs username=joe,password=hunter2 0 0\n')
    edit('mail-queue.ts', "sustain: '1m'", "sustain: '0s'")
    mesh = await LocalMesh.up({ nodes: 2, program, flags: ['--host-root', host] })
    const args = [program, 'plugin', 'dev', 'mail-queue.ts', '--dir', mesh.dir, '--host-root', host]
    dev = spawn(process.execPath, args, { cwd: folder, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] })
    dev.stdout?.setEncoding('utf8').on('data', (part: string) => {
      said += part
    })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    if (dev !== undefined && dev.exitCode === null) dev.kill('SIGKILL')
    await mesh?.stop()
  }, TURN_WITHIN_MS)

  const findings = async (detector: string) =>
    (await mesh.state()).findings.filter((finding) => finding.detector === detector)

  it('is checked, tried, and run by the agents', async () => {
    await mesh.until('what the agents find', () =>
      /mesh: ▲ warn {2}MailQueueLong .*140 jobs wait.*\(node-1, node-2\)/.test(said),
    )
    expect(said).toMatch(/(\d+) of \1 checks pass/)
    expect(said).toContain('waiting: 140')
  })

  it('is recorded on any of its nodes, by that node, once in a while', () => {
    const [from, out] = [['--dir', mesh.dir, '--on'], '--out']
    const { code, stdout } = plugin('record', 'mail-queue.ts', ...from, 'node-2', out, 'on-2')
    expect([code, stdout]).toEqual([0, expect.stringMatching(/warn {2}mail-queue: MailQueueLong: 140 .*\n\n1 file, /)])
    expect(readFileSync(join(folder, 'on-2/var/lib/mail-queue/queue'), 'utf8')).toBe('140\n')
    const refused = { code: 1, stdout: '' }
    expect(plugin('record', 'mail-queue', ...from, 'node-2', out, 'again')).toEqual({
      ...refused,
      stderr: expect.stringContaining('node-2 has just recorded for somebody'),
    })
    expect(plugin('record', 'nothing', ...from, 'node-1', out, 'again')).toEqual({
      ...refused,
      stderr: expect.stringContaining('node-1 has no detector nothing'),
    })
  })

  it('shares that way with the detectors that ship, and what leaves the node is redacted', () => {
    expect(plugin('record', 'fstab', '--dir', mesh.dir, '--on', 'node-1', '--out', 'on-1').code).toBe(0)
    expect(readFileSync(join(folder, 'on-1/etc/fstab'), 'utf8')).toBe(
      '//192.0.2.1/share /mnt cifs username=joe,password=REDACTED 0 0\n',
    )
  })

  it('is run anew after each change', async () => {
    edit('mail-queue.ts', 'jobs wait,', 'letters lie about,')
    await mesh.until('the new words', () => /mesh: .*140 letters lie about/.test(said))
  })

  it('is set by settings like any other', async () => {
    const file = join(mesh.dir, 'settings.yaml')
    writeFileSync(
      file,
      "version: 2\nmesh: local\ndetectors:\n  mail-queue: { options: { limit: 1000 } }\nrollout: { stages: ['100%'], soak: 0s }\n",
    )
    await mesh.until('the new limit', async () => (await findings('mail-queue')).every(({ status }) => status === 'ok'))
  })

  it('is a finding when it does not load, and nothing else is disturbed', async () => {
    edit('mail-queue.ts', 'export default', 'export default default')
    const problems = () => findings('plugins')
    await mesh.until('the finding', async () => (await problems()).every(({ reason }) => reason === 'PluginNotLoaded'))
    const [problem] = await problems()
    expect(problem).toMatchObject({ status: 'warn', cause: expect.stringContaining('mail-queue.ts') })
    const rejected = await findings('settings-rejected')
    expect(rejected.map(({ status }) => status)).toEqual(['ok', 'ok'])
    edit('mail-queue.ts', 'export default default', 'export default')
    await mesh.until('that it loads', async () => (await problems()).every(({ status }) => status === 'ok'))
  })

  it('is taken out again at the end', async () => {
    const ended = once(dev, 'exit')
    dev.kill('SIGINT')
    expect(await ended).toEqual([0, null])
    expect(readdirSync(join(mesh.dir, 'plugins.d'))).toEqual([])
    await mesh.until('that nothing is said of it', async () => (await findings('mail-queue')).length === 0)
    expect(existsSync(join(folder, 'mail-queue.ts'))).toBe(true)
  })
})
