/** How many logs are followed, however often what is looked for changes. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLogs } from '../../../detectors/logs/logs.ts'
import { describeReal, needsLinux } from '../../real-part.ts'

describeReal('logs', needsLinux(), () => {
  it('are let go where nobody has looked for longest, and the one in use stays open', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'starling-followed-'))
    const path = join(dir, 'app.log')
    writeFileSync(path, '')
    const logs = createLogs(() => path, true)
    const look = (pattern: string) => {
      const source = { kind: 'file', path: '/app.log' } as const
      const watch = { source, patterns: [{ pattern, ignoreCase: false }], holdMs: 60_000 }
      return logs.look(watch, AbortSignal.timeout(60_000))
    }
    const targetOf = (fd: string) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`)
      } catch {
        return ''
      }
    }
    const open = () => readdirSync('/proc/self/fd').filter((fd) => targetOf(fd) === path).length
    try {
      await look('used')
      for (let change = 0; change < 100; change++) {
        await look(`pattern ${change}`)
        await look('used')
      }
      await expect.poll(open).toBe(64)
      writeFileSync(path, 'it was used\n')
      expect(await look('used')).toMatchObject([{ text: 'it was used' }])
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})
