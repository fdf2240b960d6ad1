import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { LogConfig } from '../../common/config-parts.ts'
import { createLog } from '../../common/pino-log.ts'

function linesOf(config: LogConfig, speak: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = []
  speak(createLog({ ...config, component: 'agent', node: 'node-7', stream: { write: (line) => lines.push(line) } }))
  return lines
}

describe('the log of a process', () => {
  test('is one JSON object per line with the agreed fields', () => {
    const lines = linesOf({ level: 'info', format: 'json' }, (log) =>
      log.warn({ subject: 'node-9', err: new Error('late') }, 'suspected'),
    )
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: 'warn',
      node: 'node-7',
      component: 'agent',
      msg: 'suspected',
      subject: 'node-9',
      err: { type: 'Error', message: 'late' },
    })
    expect(Object.keys(JSON.parse(lines[0] ?? ''))).not.toContain('pid')
  })

  test('leaves out what is below its level', () => {
    expect(linesOf({ level: 'warn', format: 'json' }, (log) => log.info('joined'))).toEqual([])
  })

  test('goes to stderr at once, and in the pretty form is text without colours when that is no terminal', () => {
    const program = `
      import { createLog } from './common/pino-log.ts'
      const log = createLog({ level: 'info', format: 'pretty', component: 'agent', node: 'node-7' })
      for (let round = 0; round < 500; round++) log.info({ round }, 'joined')
      process.kill(process.pid, 'SIGKILL')`
    const child = spawnSync(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      encoding: 'utf8',
    })
    expect(child.signal).toBe('SIGKILL')
    expect(child.stdout).toBe('')
    expect(child.stderr).toMatch(/INFO: agent node-7: joined\n\s+round: 499\n$/)
    expect(child.stderr).not.toContain(String.fromCharCode(27))
  })
})
