import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { defineBench } from '../../bench/bench.ts'
import { runBenchCommand } from '../../bench/command.ts'
import { BENCHES } from '../../bench/index.ts'
import { StarlingError } from '../../common/errors.ts'

const echo = defineBench({
  name: 'echo',
  summary: 'Round trips to nowhere',
  options: {
    rounds: { summary: 'how many', default: 10 },
    zone: { summary: 'where', default: 'a' },
    keep: { summary: 'keep the files', default: false },
  },
  run: async (options, progress) => {
    progress('measuring')
    return {
      settings: { ...options, seed: 7 },
      results: [{ name: 'round trip', value: options.rounds * 1.23456, unit: 'ms' }],
      targets: [
        { name: 'round trip', value: options.rounds, op: '<=', target: 10, unit: 'ms' },
        { name: 'rate', value: 12345.6, op: '>=', target: 20_000, unit: '1/s' },
      ],
    }
  },
})
const broken = defineBench({
  name: 'broken',
  summary: 'Never works',
  options: {},
  run: () => Promise.reject(new StarlingError('no network', { remedy: 'plug it in' })),
})

async function bench(...argv: string[]) {
  const collector = () => {
    const chunks: string[] = []
    const stream = new Writable({
      write(chunk, _encoding, done) {
        chunks.push(String(chunk))
        done()
      },
    })
    return { stream, text: () => chunks.join('') }
  }
  const out = collector()
  const err = collector()
  const code = await runBenchCommand(argv, [echo, broken], { stdout: out.stream, stderr: err.stream })
  return { code, stdout: out.text(), stderr: err.text() }
}

describe('npm run bench', () => {
  test('lists the benches without a name', async () => {
    const { code, stdout } = await bench()
    expect(code).toBe(0)
    expect(stdout).toContain('  echo    Round trips to nowhere\n  broken  Never works\n')
  })

  test('names the nearest bench to an unknown one', async () => {
    expect(await bench('ecko')).toEqual({
      code: 2,
      stdout: '',
      stderr: 'there is no bench "ecko"\ndid you mean "echo"?\n',
    })
  })

  test('prints a table, and a missed target is no failure', async () => {
    const { code, stdout, stderr } = await bench('echo', '--rounds', '3', '--keep')
    expect(code).toBe(0)
    expect(stderr).toBe('echo: measuring\n')
    expect(stdout).toContain('echo  rounds 3, zone a, keep true, seed 7\n')
    expect(stdout).toContain('\n  round trip  3.7  ms\n')
    expect(stdout).toContain('\n  round trip       3  ms   <= 10      met\n')
    expect(stdout).toContain('\n  rate        12,346  1/s  >= 20,000  missed\n')
    expect(stdout).not.toContain(String.fromCharCode(27))
  })

  test('prints one JSON object with --json, on stdout alone', async () => {
    const { stdout } = await bench('echo', '--json')
    const report = JSON.parse(stdout) as Record<string, unknown>
    expect(Object.keys(report)).toEqual(['bench', 'settings', 'machine', 'results', 'targets'])
    expect(report).toMatchObject({
      bench: 'echo',
      settings: { rounds: 10, zone: 'a', keep: false, seed: 7 },
      machine: {
        cpu: expect.any(String),
        cores: expect.any(Number),
        kernel: expect.any(String),
        node: process.version,
      },
      targets: [
        { name: 'round trip', value: 10, op: '<=', target: 10, unit: 'ms' },
        { name: 'rate', op: '>=' },
      ],
    })
  })

  test.each([
    [['echo', '--rounds', 'many'], '--rounds takes a number, not "many"'],
    [['echo', '--roundz', '3'], "echo: Unknown option '--roundz'"],
  ])('refuses %j', async (argv, message) => {
    const { code, stderr } = await bench(...argv)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })

  test('exits 1 with the remedy when a bench cannot be run', async () => {
    expect(await bench('broken')).toEqual({ code: 1, stdout: '', stderr: 'no network\nplug it in\n' })
  })
})

test('every bench has a name of its own, in kebab-case, and a summary', () => {
  const names = BENCHES.map((entry) => entry.name)
  expect(new Set(names).size).toBe(names.length)
  for (const entry of BENCHES) {
    expect(entry.name).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(entry.summary).not.toBe('')
    for (const option of Object.keys(entry.options)) expect(option).toMatch(/^[a-z][a-z0-9-]*$/)
  }
})
