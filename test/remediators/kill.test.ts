/** A real process, killed with SIGKILL before and after every save and every effect of a fix, and what the next one makes of it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { live } from './life.ts'

const program = fileURLToPath(new URL('./life.ts', import.meta.url))
/** Processes at a time: one a core of the smallest machine that runs the tests. */
const ABREAST = 2
const TEST_WITHIN_MS = 120_000

describe('an agent that is killed at any boundary of a fix', () => {
  let parent: string
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'starling-kill-'))
  })
  afterEach(() => rm(parent, { recursive: true }))

  /** What became of a fix that was killed at `killAt`; undefined when there is no such boundary. */
  async function killedAt(killAt: number, helps: boolean) {
    const folder = join(parent, `${killAt}`)
    const swappiness = join(folder, 'host/proc/sys/vm/swappiness')
    await mkdir(join(folder, 'host/proc/sys/vm'), { recursive: true })
    await writeFile(swappiness, '60\n')
    const child = spawn(process.execPath, [program, folder, helps ? 'helps' : 'does not', `${killAt}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code, signal] = await once(child, 'exit')
    expect([code, signal]).toEqual(signal === null ? [0, null] : [null, 'SIGKILL'])
    const { phase } = await live({ folder, helps, boundary: () => {} })
    const applied = join(folder, 'applied')
    const permits = await access(applied).then(
      async () => (await readFile(applied, 'utf8')).trim().split('\n'),
      () => [],
    )
    return { isKilled: signal !== null, phase, permits, value: (await readFile(swappiness, 'utf8')).trim() }
  }

  /** `every`: of how many boundaries one is tried; those of a fix that does not help are more, and most are the same. */
  async function allPhases(helps: boolean, every: number) {
    const phases = new Map<string, number>()
    let boundaries = 0
    for (let first = 0; ; first += ABREAST) {
      const ends = await Promise.all(
        Array.from({ length: ABREAST }, (_, index) => killedAt((first + index) * every, helps)),
      )
      for (const { isKilled, phase, permits, value } of ends) {
        expect(new Set(permits).size).toBe(permits.length)
        // A second attempt needs a day, whatever was killed: at most one change was made.
        expect(permits.length).toBeLessThanOrEqual(1)
        expect(value).toBe(phase === 'verified' ? '10' : '60')
        phases.set(phase, (phases.get(phase) ?? 0) + 1)
        if (isKilled) boundaries++
      }
      if (ends.some(({ isKilled }) => !isKilled)) return { phases: [...phases.keys()].toSorted(), boundaries }
    }
  }

  it('has it verified, or put back with a person told, and never applied twice', {
    timeout: TEST_WITHIN_MS,
  }, async () => {
    const { phases, boundaries } = await allPhases(true, 3)
    expect(boundaries).toBeGreaterThan(7)
    expect(phases).toEqual(['escalated', 'verified'])
  })

  it('puts back what did not help, once or again', { timeout: TEST_WITHIN_MS }, async () => {
    const { phases, boundaries } = await allPhases(false, 1)
    expect(boundaries).toBeGreaterThan(25)
    expect(phases).toEqual(['escalated'])
  })
})
