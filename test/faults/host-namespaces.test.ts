/** Programs of the host, run by an agent in a pod: with mounts, a host name and a network that the pod does not have. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { waitFor } from '../e2e/starling.ts'
import { describeReal, needsAnotherUser, needsNetworkNamespace } from '../real-part.ts'

const IN_POD = fileURLToPath(new URL('./in-pod.ts', import.meta.url))
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--']

describeReal('programs of the host, from a pod', needsNetworkNamespace() ?? needsAnotherUser(IN_POD), () => {
  let dir: string
  let host: ChildProcess
  /** Of the first process of the host, as the machine counts it. */
  let init: string
  const at = (path: string) => join(dir, path)

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'starling-pod-'))
    chmodSync(dir, 0o755)
    for (const folder of ['only-host', 'root', 'shared']) mkdirSync(at(folder))
    writeFileSync(at('tool'), TOOL(dir), { mode: 0o755 })
    const script = `mount -t tmpfs tmpfs ${at('only-host')} && cp ${at('tool')} ${at('only-host/tool')} &&
      ln -s ${at('only-host/tool')} ${at('only-host/link')} && echo old > ${at('only-host/value')} &&
      hostname the-host && touch ${at('shared/ready')} && exec sleep 600`
    const apart = ['--mount', '--uts', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
    host = spawn('unshare', [...apart, 'sh', '-c', script], { stdio: 'inherit' })
    await waitFor('the host', () => existsSync(at('shared/ready')))
    init = readFileSync(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8').trim()
  })
  afterAll(() => {
    host?.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  interface Pod {
    /** More namespaces of its own. */
    readonly apart?: readonly string[]
    readonly within?: readonly string[]
    readonly root?: string
    readonly withinMs?: number
    readonly limits?: object
  }
  /** Its host's root is mounted as a pod mounts it, and what only the host has is not there. */
  function inPod(command: readonly string[], { apart = [], within = [], root = at('root'), ...more }: Pod = {}) {
    const script = `mount --rbind / ${at('root')} && umount ${at('only-host')} && exec "$@"`
    const { withinMs = 20_000, limits } = more
    const words = [
      ...['nsenter', '--target', init, '--mount', '--uts', '--net', '--pid', '--'],
      ...['unshare', '--mount', '--uts', '--net', ...apart, '--', 'sh', '-c', script, 'sh', ...within],
      ...[process.execPath, IN_POD, root, String(withinMs), limits === undefined ? '' : JSON.stringify(limits)],
    ]
    const [program = '', ...args] = [...words, ...command]
    const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    expect(stderr).toBe('')
    return JSON.parse(stdout) as { stdout?: string; name?: string; message?: string }
  }
  const tool = (...args: readonly string[]) => [at('only-host/tool'), ...args]

  it('find what only the host has: its files, its name and its network', () => {
    expect(inPod(tool('read'))).toEqual({ code: 0, stdout: 'old\n', stderr: '' })
    expect(inPod(tool('name')).stdout).toBe('the-host\n')
    expect(inPod(tool('net')).stdout).toBe(`${readlinkSync(`/proc/${init}/ns/net`)}\n`)
  })

  it("change what is the host's, also by a link that leads nowhere in the pod", () => {
    expect(inPod([at('only-host/link'), 'write', 'new'])).toMatchObject({ code: 0 })
    expect(inPod(tool('read')).stdout).toBe('new\n')
  })

  it('are found where they are there, and not here', () => {
    expect(inPod([at('only-host/none')])).toMatchObject({
      name: 'NotApplicable',
      message: expect.stringContaining('does not exist on this host'),
    })
    // Of the pod alone.
    expect(inPod(tool('read'), { root: at('shared') })).toMatchObject({ name: 'NotApplicable' })
  })

  it('end when their time is over, with all that they started', () => {
    expect(inPod(tool('hang'), { withinMs: 1_000 })).toMatchObject({ name: 'TimeoutError' })
    const listed = spawnSync('nsenter', ['--target', init, '--mount', '--pid', 'ps', '-eo', 'args'], {
      encoding: 'utf8',
    })
    expect(listed.stdout).toContain('sleep 600')
    expect(listed.stdout).not.toContain('sleep 601')
  })

  it('are none for a pod that has no right to them, and it says why', () => {
    const refused = (why: string) => ({ name: 'NotApplicable', message: expect.stringContaining(why) })
    expect(inPod(tool('read'), { within: NOBODY })).toMatchObject(refused('it is not privileged'))
    expect(inPod(tool('read'), { apart: ['--pid', '--fork'] })).toMatchObject(refused('hostPID'))
    expect(inPod(tool('read'), { limits: { cpuSeconds: 1 } })).toMatchObject(refused('cannot be held to limits'))
  })
})

const TOOL = (dir: string) => `#!/bin/sh
case $1 in
  read) cat ${dir}/only-host/value ;;
  write) echo "$2" > ${dir}/only-host/value ;;
  name) hostname ;;
  net) readlink /proc/self/ns/net ;;
  hang) setsid sleep 601 & wait ;;
esac
`
