/** Programs that misbehave, run as plugins are: each ends as unknown or in an error that names it, and leaves nothing behind. */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NotApplicable, type RunLimits } from '../../detectors/contract.ts'
import { runCommand } from '../../detectors/host/command.ts'
import { createHost } from '../../detectors/host/host.ts'
import { readPluginManifest } from '../../detectors/manifests/manifest.ts'
import { describeReal, needsLinux, needsRoot } from '../real-part.ts'

const MIB = 1024 * 1024
const limits: RunLimits = {
  memoryBytes: 256 * MIB,
  cpuSeconds: 10,
  fileBytes: MIB,
  asNobody: false,
  withoutNetwork: false,
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'starling-exec-'))
  await chmod(folder, 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

/** A program of its own, so that its children can be told from those of any other test. */
async function program(text: string, mode = 0o755): Promise<string> {
  const file = join(folder, 'plugin')
  await writeFile(file, text)
  await chmod(file, mode)
  return file
}

const sh = (script: string) => program(`#!/bin/sh\n${script}\n`)

function within(ms: number): AbortSignal {
  return AbortSignal.timeout(ms)
}

/** Waits for the program to say on disk how far it has come. */
const untilThere = (name: string) =>
  vi.waitFor(() => expect(readdirSync(folder)).toContain(name), { timeout: 20_000, interval: 20 })

function isAlive(pid: number): boolean {
  try {
    // A zombie has ended: whoever adopted it has yet to take notice.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function untilEnded(pid: number): Promise<void> {
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 })
}

const pidIn = (name: string) => Number(readFileSync(join(folder, name), 'utf8'))

describeReal('a program that is run as a plugin', needsLinux(), () => {
  const run = (file: string, signal = within(20_000), bytesMax?: number) =>
    runCommand([file], { signal, limits, ...(bytesMax === undefined ? {} : { bytesMax }) })

  it('comes to its end', async () => {
    const file = await sh('echo fine; echo aside >&2; exit 3')
    expect(await run(file)).toEqual({ code: 3, signal: null, stdout: 'fine\n', stderr: 'aside\n', truncated: false })
  })

  it('is killed when it hangs, though it ignores to be asked', async () => {
    const file = await sh(`trap '' TERM INT HUP; echo $$ > ${folder}/pid.new; mv ${folder}/pid.new ${folder}/pid
      while :; do sleep 1000; done`)
    const abort = new AbortController()
    const running = run(file, abort.signal)
    await untilThere('pid')
    abort.abort(new Error('no answer within 5s'))
    await expect(running).rejects.toThrow('no answer within 5s')
    await untilEnded(pidIn('pid'))
  })

  it('is killed with a daemon that has left its group, when it ends and when it hangs', async () => {
    for (const end of ['exit 0', 'sleep 1000']) {
      const file = await sh(`setsid -f sh -c 'echo $$ > ${folder}/daemon; exec sleep 1000'
        until test -s ${folder}/daemon; do sleep 0.05; done
        touch ${folder}/started; ${end}`)
      const abort = new AbortController()
      const running = run(file, abort.signal).catch(String)
      await untilThere('started')
      if (end !== 'exit 0') abort.abort(new Error('too late'))
      expect(await running).toEqual(end === 'exit 0' ? expect.objectContaining({ code: 0 }) : 'Error: too late')
      await untilEnded(pidIn('daemon'))
      await Promise.all(['daemon', 'started'].map((name) => rm(join(folder, name))))
    }
  })

  it('does not wait for a pipe that a forgotten child holds open', async () => {
    const file = await sh('sleep 1000 & echo fine')
    expect(await run(file)).toMatchObject({ code: 0, stdout: 'fine\n' })
  })

  it('is ended when it says too much, with what it said first', async () => {
    const file = await sh('yes starling | head -c 1000000000; exit 0')
    const result = await run(file, within(20_000), 1_000)
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL', truncated: true })
    expect(result.stdout).toHaveLength(1_000)
  })

  it('ends by a signal, in the middle of a line', async () => {
    const file = await sh('printf "half a li"; kill -SEGV $$')
    expect(await run(file)).toMatchObject({ code: null, signal: 'SIGSEGV', stdout: 'half a li' })
  })

  it('closes its output and hangs', async () => {
    const file = await sh('exec >&- 2>&-; sleep 1000')
    await expect(run(file, within(500))).rejects.toThrow('timeout')
  })

  it('sees nothing of the agent: no variables, no files, no input', async () => {
    vi.stubEnv('STARLING_SECRET', 'x')
    const file = await sh('env | cut -d= -f1 | sort | tr "\\n" " "; ls -l /proc/self/fd; cat; pwd')
    const held = openSync(join(folder, 'held'), 'w')
    const { stdout } = await run(file)
    closeSync(held)
    vi.unstubAllEnvs()
    // The shell adds PWD.
    expect(stdout).toMatch(/^LC_ALL PATH PWD STARLING_RUN TZ total/)
    expect(stdout).not.toContain('held')
    expect(stdout).toMatch(/ 0 -> \/dev\/null\n.* 1 -> (pipe|socket):.*\n.* 2 -> (pipe|socket):/)
    expect(stdout).toMatch(/\n\/\n$/)
  })

  it('gets its arguments as they are: nothing of them is for a shell', async () => {
    const file = await program('#!/bin/sh\nfor word; do printf "[%s]" "$word"; done\n')
    const words = ['$(id)', '; exit 1', '*', "it's", '', 'a b', '--']
    const { stdout } = await runCommand([file, ...words], { signal: within(20_000), limits })
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(''))
  })

  it('gets no more memory than it may', async () => {
    // tail keeps a line in memory until its end.
    const file = await sh('head -c 40000000 /dev/zero | { tail -n 1 > /dev/null; echo $?; }')
    const exitIn = async (memoryBytes: number) =>
      (await runCommand([file], { signal: within(20_000), limits: { ...limits, memoryBytes } })).stdout
    expect(await exitIn(256 * MIB)).toBe('0\n')
    expect(await exitIn(16 * MIB)).toBe('1\n')
  })

  it('gets no more processor time than it may', async () => {
    const file = await sh('while :; do :; done')
    const result = await runCommand([file], { signal: within(20_000), limits: { ...limits, cpuSeconds: 1 } })
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL' })
  })

  it('writes no file larger than it may', async () => {
    const file = await sh(`head -c 3000000 /dev/zero > ${folder}/big`)
    expect((await run(file)).code).not.toBe(0)
    expect(readFileSync(join(folder, 'big'))).toHaveLength(MIB)
  })

  it('leaves no zombie', async () => {
    const file = await sh('sleep 0.01 & exit 0')
    for (let times = 0; times < 5; times += 1) await run(file)
    const children = readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false
      const stat = readSilently(`/proc/${name}/stat`)
      return stat.split(') ')[1]?.startsWith(`Z ${process.pid} `) === true
    })
    expect(children).toEqual([])
  })
})

function readSilently(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

describeReal('what is no program', needsLinux(), () => {
  it.each([
    ['echo fine\n', 0o755, 'is no program: it begins neither with #! nor as a binary'],
    ['', 0o755, 'is no program: it begins neither with #! nor as a binary'],
    ['#!/bin/sh\n', 0o644, 'cannot be started: EACCES'],
    ['#!/no/such/interpreter\n', 0o755, 'cannot be started: ENOENT'],
    ['\x7fELF cut off', 0o755, 'is a binary for another machine, or no whole one'],
    [`\x7fELF${'x'.repeat(100)}`, 0o755, 'is a binary for another machine, or no whole one'],
  ])('%j with mode %i is an error that says so', async (text, mode, why) => {
    const file = await program(text, mode)
    await expect(runCommand([file], { signal: within(20_000) })).rejects.toThrow(`${file} ${why}`)
  })

  it('is not applicable where there is none', async () => {
    await expect(runCommand(['/no/such/program'], { signal: within(20_000) })).rejects.toThrow(NotApplicable)
    await expect(runCommand([folder], { signal: within(20_000) })).rejects.toThrow('cannot be started: EISDIR')
  })
})

describeReal('a program that is run by root as nobody', needsLinux() ?? needsRoot(), () => {
  const nobody = { ...limits, asNobody: true }

  it('has no rights, and none to gain', async () => {
    const file = await sh('id -u; id -G; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status; cat /etc/shadow')
    const { stdout, stderr } = await runCommand([file], { signal: within(20_000), limits: nobody })
    expect(stdout.replace(/\s+/g, ' ')).toBe(
      '65534 65534 CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 ',
    )
    expect(stderr).toContain('Permission denied')
  })

  it('has no network when it may have none', async () => {
    const file = await sh('cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /proc/net/route | tail -n +2')
    const { stdout } = await runCommand([file], { signal: within(20_000), limits: { ...nobody, withoutNetwork: true } })
    expect(stdout.trim()).toBe('lo')
  })
})

describe('a plugin that misbehaves', () => {
  const host = createHost({ node: 'node-7', peerOffsets: () => [] })
  const look = async (dialect: string, script: string) => {
    const file = await sh(script)
    const states = { npd: 'states: {problem: Bad}', nagios: 'states: {warning: Bad, critical: Bad}', json: '' }[dialect]
    const detector = readPluginManifest(
      `{name: p, version: "1", summary: P., dialect: ${dialect}, command: [${file}], ${states === '' ? '' : `${states},`} caps: {output: 4Ki},
        user: agent, touches: {commands: [/usr/bin/yes, /usr/bin/head]}, reasons: {Bad: {severity: warn, summary: B., runbook: look}}}`,
      'p.yaml',
    )
    const sample = await detector.sample(host, detector.options.parse({}), within(20_000))
    return detector.judge(sample, {}, []).map(({ reason, summary }) => `${reason}: ${summary}`)
  }

  it.each([
    ['npd', 'echo broken; exit 1', ['Bad: broken']],
    ['npd', 'exit 0', []],
    ['nagios', "echo 'CRIT | a=1'; exit 2", ['Bad: CRIT']],
    ['json', `echo '{"status": "problem", "reason": "Bad", "message": "no"}'`, ['Bad: no']],
  ])('does not: %s %s', async (dialect, script, expected) => {
    expect(await look(dialect, script)).toEqual(expected)
  })

  it.each([
    ['npd', 'echo what; exit 2', 'it exited with 2: what'],
    ['npd', 'exit 127', 'it exited with 127 and said nothing'],
    ['npd', 'kill -KILL $$', /it (was ended by SIGKILL|exited with 137)/],
    ['npd', 'yes | head -c 100000', 'it said more than it may'],
    ['nagios', 'echo "UNKNOWN - no"; exit 3', 'it exited with 3: UNKNOWN - no'],
    ['nagios', 'echo bad usage >&2; exit 64', 'it exited with 64: bad usage'],
    ['json', `printf '{"status": "pro'`, 'its answer is no JSON'],
    ['json', 'true', 'it said nothing'],
    ['json', `echo '{"status": "ok"}'; exit 1`, 'it exited with 1'],
    ['json', `echo '{"status": "unknown", "message": "no rights"}'`, 'no rights'],
  ])('is unknown: %s %s', async (dialect, script, why) => {
    await expect(look(dialect, script)).rejects.toThrow(why)
  })
})
