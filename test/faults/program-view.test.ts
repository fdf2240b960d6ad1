/** Programs behind a real bubblewrap: what is not named under touches is not there, and nothing of it is left. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { shellTemplate } from '../../cli/plugin/templates.ts'
import type { RunLimits } from '../../detectors/contract.ts'
import { unenforced } from '../../detectors/host/bubblewrap.ts'
import { runCommand } from '../../detectors/host/command.ts'
import { createHost } from '../../detectors/host/host.ts'
import type { ProgramSight } from '../../detectors/host/port.ts'
import { readPluginManifest } from '../../detectors/manifests/manifest.ts'
import { describeReal, NOBODY, needsAnotherUser, needsLinux, needsProgram, needsRoot } from '../real-part.ts'

const MIB = 1024 * 1024
const TOOLS = ['cat', 'ls', 'head', 'touch', 'env', 'id'].map((name) => `/usr/bin/${name}`)

let folder: string
beforeEach(async () => {
  // In /var/tmp, which the program has none of its own of.
  folder = await mkdtemp('/var/tmp/starling-view-')
  await chmod(folder, 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

async function program(text: string): Promise<string> {
  const file = join(folder, 'plugin')
  await writeFile(file, text)
  await chmod(file, 0o755)
  return file
}

const sh = (script: string) => program(`#!/bin/sh\n${script}\n`)
const limits: Omit<RunLimits, 'sees'> = {
  memoryBytes: 256 * MIB,
  cpuSeconds: 10,
  fileBytes: MIB,
  asNobody: true,
  withoutNetwork: false,
}

function run(file: string, sees: Partial<ProgramSight> = {}, others: Partial<RunLimits> = {}, signal = within(20_000)) {
  const sight = { paths: [], writes: [], commands: TOOLS, ...sees }
  return runCommand([file], { signal, limits: { ...limits, sees: sight, ...others } })
}

function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms)
}

/** Command lines that name the folder of this test: programs, what they started, and what holds them. */
function running(): readonly string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return words.includes(folder) ? [words] : []
    } catch {
      return []
    }
  })
}

describeReal('a program that sees what it touches', needsLinux() ?? needsRoot() ?? needsProgram('bwrap'), () => {
  it('finds no file that it does not name, and the one that it names', async () => {
    for (const name of ['named', 'other']) await writeFile(join(folder, name), `${name}\n`)
    const file = await sh(`cat ${folder}/named ${folder}/other /etc/shadow`)
    const { stdout, stderr } = await run(file, { paths: [`${folder}/named`] })
    expect(stdout).toBe('named\n')
    expect(stderr.trim().split('\n')).toEqual(
      [`${folder}/other`, '/etc/shadow'].map((path) => `cat: ${path}: No such file or directory`),
    )
  })

  it('finds what globs match now, the whole folder of **, and links as they are', async () => {
    for (const name of ['a/1.conf', 'a/2.conf', 'a/3.txt', 'b/x/y', 'real', 'other']) {
      await mkdir(join(folder, name, '..'), { recursive: true })
      await writeFile(join(folder, name), `${name}\n`)
    }
    await symlink('real', join(folder, 'link'))
    const file = await sh(`cd ${folder}; ls -d a/* b/*/* *l*; cat link`)
    const paths = [`${folder}/a/*.conf`, `${folder}/b/**`, `${folder}/link`, `${folder}/missing`]
    const { stdout } = await run(file, { paths })
    expect(stdout.trim().split('\n')).toEqual(['a/1.conf', 'a/2.conf', 'b/x/y', 'link', 'plugin', 'real', 'real'])
  })

  it('writes to its own /tmp and to what it may write, and nowhere else, also as root', async () => {
    for (const name of ['open', 'shut']) await mkdir(join(folder, name))
    await chmod(join(folder, 'open'), 0o777)
    const file = await sh(`for at in /tmp ${folder}/open ${folder}/shut / /etc /dev /usr/lib; do
        touch $at/written 2> /dev/null && echo $at; done`)
    const sees = { paths: [`${folder}/shut`], writes: [`${folder}/open`] }
    for (const asNobody of [true, false]) {
      expect((await run(file, sees, { asNobody })).stdout).toBe(`/tmp\n${folder}/open\n`)
    }
    expect(readdirSync(join(folder, 'open'))).toEqual(['written'])
    expect(readdirSync(tmpdir())).not.toContain('written')
  })

  it('has a /tmp that cannot fill the memory of the host', async () => {
    const file = await sh('i=0; while head -c 1000000 /dev/zero > /tmp/$i; do i=$((i+1)); done; echo $i')
    expect(await run(file)).toMatchObject({
      stdout: '16\n',
      stderr: expect.stringContaining('No space left on device'),
    })
  })

  it('runs no program that it does not name, and its interpreter', async () => {
    const file = await sh('cat --version | head -n 0; /usr/bin/sleep 0; sleep 0; exit 7')
    const { code, stderr } = await run(file, { commands: ['/bin/cat', '/usr/bin/hea*'] })
    expect(code).toBe(7)
    expect(stderr).toMatch(/^\S+: 2: \/usr\/bin\/sleep: not found\n\S+: 2: sleep: not found\n$/)
    const perl = await program('#!/usr/bin/env perl\nuse POSIX; print -e "/usr/bin/cat" ? "cat" : floor(2.5);\n')
    expect((await run(perl, { commands: [] })).stdout).toBe('2')
  })

  it('has a /proc of no process but its own, of a file of it, or of the host', async () => {
    const file =
      await sh(`cat /proc/loadavg /proc/self/stat | head -n 2 | { while read -r one _; do echo \${one%%.*}; done; }
      ls -d /proc/${process.pid} /proc/self/mounts 2> /dev/null`)
    const seen = async (...paths: string[]) => {
      const { stdout } = await run(file, { paths })
      return stdout.replace(/^\d+$/gm, 'N').trim().split('\n').join(' ')
    }
    expect(await seen()).toBe('')
    expect(await seen('/proc/loadavg')).toBe('N')
    expect(await seen('/proc/self/stat')).toBe('N N /proc/self/mounts')
    expect(await seen('/proc/*/stat')).toBe(`N N /proc/${process.pid} /proc/self/mounts`)
  })

  it('is held to its other limits as before, and sees no variable more', async () => {
    vi.stubEnv('STARLING_SECRET', 'x')
    const file = await sh(`env | { while IFS== read -r name _; do echo $name; done; }; id -u; pwd
      head -c 3000000 /dev/zero > /tmp/big; echo $?; ls -l /tmp/big; cat /proc/net/dev`)
    const { stdout } = await run(file, { paths: ['/proc/net/dev', '/proc/self/status'] }, { withoutNetwork: true })
    vi.unstubAllEnvs()
    const [names, rest = ''] = stdout.split('65534\n', 2)
    expect(names?.trim().split('\n').toSorted()).toEqual(['LC_ALL', 'PATH', 'PWD', 'STARLING_RUN', 'TZ'])
    expect(rest).toMatch(/^\/\n(?!0\n)\d+\n.* 1048576 .*\/tmp\/big\n/)
    expect(rest.match(/^ *\w+:/gm)?.map((name) => name.trim())).toEqual(['lo:'])
    const spin = await sh('while :; do :; done')
    // Bubblewrap says a signal as a shell does: 128 and its number.
    expect(await run(spin, {}, { cpuSeconds: 1 })).toMatchObject({ code: 128 + 9 })
  })

  it('is killed with all that it started, and nothing stays mounted', async () => {
    await mkdir(join(folder, 'out'))
    await chmod(join(folder, 'out'), 0o777)
    // A daemon that clears its environment, which outlives a program that is not behind bubblewrap.
    const script = `setsid -f env -i /bin/sh -c 'while :; do sleep 7777; done' ${folder}; touch ${folder}/out/started`
    const sees = { writes: [`${folder}/out`], commands: [...TOOLS, '/usr/bin/setsid', '/bin/sh', '/usr/bin/sleep'] }
    const abort = new AbortController()
    const hung = run(await sh(`${script}; sleep 7777`), sees, {}, abort.signal)
    await vi.waitFor(() => expect(readdirSync(join(folder, 'out'))).toEqual(['started']), { timeout: 20_000 })
    expect(running()).toContainEqual(expect.stringMatching(/^\/bin\/sh -c while/))
    abort.abort(new Error('too late'))
    await expect(hung).rejects.toThrow('too late')
    await vi.waitFor(() => expect(running()).toEqual([]), { timeout: 20_000 })
    expect((await run(await sh(script), sees)).code).toBe(0)
    await vi.waitFor(() => expect(running()).toEqual([]), { timeout: 20_000 })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folder)
  })

  it('is told apart when it cannot be begun, or asks for too much', async () => {
    await expect(run(await program('#!/no/such/interpreter\n'))).rejects.toThrow(
      'cannot be held to its limits: setpriv',
    )
    await expect(run(await sh('exit 0'), { paths: ['/usr/share/*/*/*'] })).rejects.toThrow('matches over 256 files')
  })

  it('is the one that `plugin new` writes, as it is written', async () => {
    const { files } = shellTemplate('job-queue')
    const queue = join(folder, 'queue')
    await writeFile(queue, '140\n')
    const place = (text = '') => text.replaceAll('/var/lib/job-queue/queue', queue)
    const script = await program(place(files['job-queue.sh']))
    const manifest = place(files['job-queue.yaml']).replace('/etc/starling/plugins.d/job-queue.sh', script)
    const look = async (text: string) => {
      const detector = readPluginManifest(text, 'job-queue.yaml')
      expect(await unenforced(detector.touches)).toBeUndefined()
      const host = createHost({ node: 'node-7', peerOffsets: () => [] })
      return detector.judge(await detector.sample(host, detector.options.parse({}), within(20_000)), {}, [])
    }
    expect(await look(manifest)).toMatchObject([{ reason: 'JobQueueLong', summary: expect.stringContaining('140') }])
    await expect(look(manifest.replace('/usr/bin/cat', '/usr/bin/true'))).rejects.toThrow(
      'cat: not found; it is given what its manifest names under touches',
    )
  })
})

/** What a process of its own, behind the words `before`, says of `touches`, and what the program said that it ran. */
function elsewhere(before: readonly string[], file: string, options: object = {}) {
  const [bubblewrap, command] = ['bubblewrap', 'command'].map((name) => join(HOST, `${name}.ts`))
  const given = { ...limits, sees: { paths: [], writes: [], commands: TOOLS } }
  const script = `import { unenforced } from ${JSON.stringify(bubblewrap)}
    import { runCommand } from ${JSON.stringify(command)}
    const signal = AbortSignal.timeout(20_000)
    const { stdout } = await runCommand([${JSON.stringify(file)}], { signal, limits: ${JSON.stringify(given)} })
    console.log(JSON.stringify({ stdout, but: await unenforced({ writes: [] }) }))`
  const [program = '', ...args] = [...before, process.execPath, '--input-type=module', '-e', script]
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', ...options })
  return stdout === '' ? stderr : JSON.parse(stdout)
}

const CLI = new URL('../../cli/main.ts', import.meta.url).pathname
const HOST = new URL('../../detectors/host', import.meta.url).pathname
const missing = needsRoot() ?? needsProgram('bwrap') ?? needsAnotherUser(join(HOST, 'command.ts'))

describeReal('a program of an agent', needsLinux() ?? missing, () => {
  it('that is not root is held to what it touches by a user namespace', async () => {
    await writeFile(join(folder, 'other'), 'other\n')
    const answer = elsewhere([], await sh(`id -u; cat ${folder}/other 2>&1`), { uid: NOBODY, gid: NOBODY })
    expect(answer).toEqual({ stdout: `${NOBODY}\ncat: ${folder}/other: No such file or directory\n` })
  })

  it('whose host has no bubblewrap is run without, and it is said', async () => {
    await writeFile(join(folder, 'other'), 'other\n')
    // In a mount namespace of its own.
    const withoutIt = ['unshare', '--mount', 'sh', '-c', 'mount --bind /dev/null /usr/bin/bwrap && exec "$@"', 'sh']
    const said = /paths and commands are not enforced: bwrap cannot be used here: .*EACCES/
    const answer = elsewhere(withoutIt, await sh(`id -u; cat ${folder}/other`))
    expect(answer).toEqual({ stdout: `${NOBODY}\nother\n`, but: expect.stringMatching(said) })
    const { files } = shellTemplate('job-queue')
    await writeFile(join(folder, 'job-queue.yaml'), files['job-queue.yaml'] ?? '')
    const [program = '', ...args] = [...withoutIt, process.execPath, CLI, 'detectors', 'list', '-o', 'json']
    const { stdout } = spawnSync(program, [...args, '--plugins', folder], { encoding: 'utf8' })
    const items: { name: string; unenforced?: string; state: string }[] = JSON.parse(stdout).items
    const unheld = items.filter(({ unenforced }) => unenforced !== undefined)
    expect(unheld).toMatchObject([{ name: 'job-queue', state: expect.stringMatching(said) }])
  })
})
