import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeReal, needsNetworkNamespace } from '../real-part.ts'

const SOMAXCONN = '/proc/sys/net/core/somaxconn'
const script = fileURLToPath(new URL('./somaxconn.ts', import.meta.url))

describeReal('the sysctl remediator on a real kernel, in a network namespace', needsNetworkNamespace(), () => {
  let stateDir: string
  let ofHost: string
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'starling-kernel-'))
    ofHost = await readFile(SOMAXCONN, 'utf8')
  })
  afterEach(async () => {
    await rm(stateDir, { recursive: true })
    expect(await readFile(SOMAXCONN, 'utf8')).toBe(ofHost)
  })

  const fix = (wanted: string) => {
    const child = spawnSync('unshare', ['-n', process.execPath, script, stateDir, wanted], { encoding: 'utf8' })
    expect(child.stderr).toBe('')
    return JSON.parse(child.stdout) as Record<string, unknown>
  }

  it('finds, sets and verifies a parameter', () => {
    const { before, ...rest } = fix('2345')
    expect(before).not.toBe('2345')
    expect(rest).toEqual({
      after: '2345',
      phases: ['awaiting-approval', 'proposed', 'permitted', 'applying', 'verifying', 'verified'],
      changes: [
        {
          what: 'net.core.somaxconn',
          before,
          after: '2345',
          undo: `sysctl -w net.core.somaxconn=${before}`,
        },
      ],
      why: 'kernel-params looked again, and the fault is gone',
    })
  })

  it('leaves the parameter as it was when the kernel refuses the value', () => {
    const { before, after, phases, why } = fix('-5')
    expect(after).toBe(before)
    expect(phases).toEqual(['awaiting-approval', 'proposed', 'permitted', 'applying', 'failed', 'reverted'])
    expect(why).toMatch(/somaxconn cannot be written: EINVAL; everything was put back/)
  })
})
