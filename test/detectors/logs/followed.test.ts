/** How many logs are followed, however often what is looked for changes, and none when they are closed. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLogs, type Logs } from '../../../detectors/logs/logs.ts'
import { describeReal, needsLinux } from '../../real-part.ts'

describeReal('logs', needsLinux(), () => {
  let dir: string
  let path: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'starling-followed-'))
    path = join(dir, 'app.log')
    writeFileSync(path, '')
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  const watchFor = (pattern: string) => {
    const source = { kind: 'file', path: '/app.log' } as const
    return { source, patterns: [{ pattern, ignoreCase: false }], holdMs: 60_000 }
  }
  const lookAt = (logs: Logs, pattern: string) => logs.look(watchFor(pattern), AbortSignal.timeout(60_000))
  const targetOf = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  }
  const open = () => readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === path).length

  it('are let go where nobody has looked for longest, and the one in use stays open', async () => {
    const logs = createLogs(() => path)
    await lookAt(logs, 'used')
    for (let change = 0; change < 100; change++) {
      await lookAt(logs, `pattern ${change}`)
      await lookAt(logs, 'used')
    }
    await expect.poll(open).toBe(64)
    writeFileSync(path, 'it was used\n')
    expect(await lookAt(logs, 'used')).toMatchObject([{ text: 'it was used' }])
    logs.close()
  })

  it('are let go a minute after the last one left, unless another one looks', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const logs = createLogs(() => path)
      for (const pattern of ['left', 'taken over']) {
        await lookAt(logs, pattern)
        logs.letGo(watchFor(pattern))
      }
      await lookAt(logs, 'taken over')
      vi.advanceTimersByTime(59_000)
      expect(open()).toBe(2)
      vi.advanceTimersByTime(24 * 3_600_000)
      // A file is closed by another thread.
      vi.useRealTimers()
      await expect.poll(open).toBe(1)
      logs.close()
      await expect.poll(open).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('are let go when they are closed, also those that are just being opened, and stay so', async () => {
    const logs = createLogs(() => path)
    for (const pattern of ['one', 'two', 'three']) await lookAt(logs, pattern)
    await expect.poll(open).toBe(3)
    const opening = ['four', 'five'].map((pattern) => lookAt(logs, pattern))
    // A look of its own turn has begun to open the file, and does not have it yet.
    await Promise.resolve()
    logs.close()
    const ends = await Promise.allSettled([...opening, lookAt(logs, 'one'), lookAt(logs, 'six')])
    expect(ends.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    await expect.poll(open).toBe(0)
  })
})
