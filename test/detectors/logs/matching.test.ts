import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRecord, sequencesOf } from '../../../detectors/logs/kmsg-records.ts'
import { LINE_LENGTH_MAX, Matcher } from '../../../detectors/logs/matcher.ts'
import { requiredLiterals } from '../../../detectors/logs/pattern-syntax.ts'
import { Tally, TIMES_MAX } from '../../../detectors/logs/tally.ts'
import { timeOf } from '../../../detectors/logs/times.ts'

describe('what each line of a pattern must hold', () => {
  it.each([
    ['Out of memory: Killed process \\d+ \\((.+)\\)', ['Out of memory: Killed process ']],
    ['task [\\S ]+:\\w+ blocked for more than \\w+ seconds\\.', [' blocked for more than ']],
    ['(?:ext4|xfs) error', [' error']],
    ['^(?:buffer|lost) I/O', ['buffer', 'lost']],
    ['alpha|beta|gam{2}ma', ['alpha', 'beta', 'ga']],
    ['one(two)?three', ['three']],
    ['(abc){2,3}', ['abc']],
    ['\\x41bcd\\.e', ['bcd.e']],
    ['[abc]def', ['def']],
    ['a{3}bcd+e', ['bc']],
  ])('%s: %j', (pattern, expected) => {
    const literals = expected.some((text) => text.length < 3) ? undefined : expected
    if (literals === undefined) expect(() => requiredLiterals(pattern)).toThrow('names no text')
    else expect(requiredLiterals(pattern)).toEqual(literals)
  })

  it.each([
    ['(a+)+bcd', 'repeats what itself repeats'],
    ['(?:abc\\d*){2,}', 'repeats what itself repeats'],
    ['((ab?)*c)*def', 'repeats what itself repeats'],
    ['(?=abc)def', 'looks ahead or behind'],
    ['(?<!abc)def', 'looks ahead or behind'],
    ['(abc)\\1', 'refers back'],
    ['(?<x>abc)\\k<x>', 'refers back'],
    ['.*', 'names no text'],
    ['[a-z]+|abc', 'names no text'],
    ['(abc', 'is no regular expression'],
    ['x'.repeat(1_001), 'is over 1000 characters'],
    [`${'('.repeat(30)}abc${')'.repeat(30)}`, 'is nested over 20 deep'],
  ])('%s is refused', (pattern, why) => {
    expect(() => requiredLiterals(pattern)).toThrow(why)
  })

  it('is in every line that matches, and reading it never breaks', () => {
    const piece = fc.constantFrom(
      'abc',
      'x',
      '.',
      '\\d',
      '(de|fgh)',
      '[xyz]',
      '*',
      '+',
      '?',
      '{2}',
      '(?:uvw',
      ')',
      '|',
      '^',
      '\\.',
      '\\x41',
    )
    const line = fc.array(fc.constantFrom('abc', 'x', 'de', 'fgh', 'y', '7', 'uvw', '.', 'A', 'c'), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), line, (pieces, words) => {
        const pattern = pieces.join('')
        let literals: readonly string[]
        try {
          literals = requiredLiterals(pattern)
        } catch (error) {
          expect(error).not.toBeInstanceOf(TypeError)
          return
        }
        const text = words.join('')
        if (new RegExp(pattern).test(text)) expect(literals.some((literal) => text.includes(literal))).toBe(true)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('the matcher', () => {
  const plain = (line: string) => ({ line: undefined, text: line })
  const find = (patterns: readonly string[], chunk: string, ignoreCase = false) => {
    const found: string[] = []
    new Matcher(patterns.map((pattern) => ({ pattern, ignoreCase }))).match(
      chunk,
      plain,
      ({ pattern, cause }, _, text) => found.push(`${pattern} ${cause} ${text}`),
    )
    return found
  }

  it('finds the lines of each pattern, and what they are about', () => {
    const chunk = 'disk sda failed\nnothing here\n\nlost disk sdb\nDisk sdc failed\n'
    expect(find(['disk (?<cause>\\w+) failed', 'lost disk', '^disk|sdb$'], chunk)).toEqual([
      '0 sda disk sda failed',
      '2  disk sda failed',
      '1  lost disk sdb',
      '2  lost disk sdb',
    ])
    expect(find(['DISK (?<cause>\\w+) failed'], chunk, true)).toEqual([
      '0 sda disk sda failed',
      '0 sdc Disk sdc failed',
    ])
  })

  it('looks at the beginning of a long line only', () => {
    const long = `begin ${'x'.repeat(1_000_000)} end\n`
    expect(find(['begin', ' end$'], long)).toHaveLength(1)
    expect(find(['begin'], long)[0]).toHaveLength('0  '.length + LINE_LENGTH_MAX)
  })

  it('gives up a pattern that takes too long, and only that', () => {
    // Passes the reading of it: what is repeated repeats nothing, but says the same in two ways.
    const matcher = new Matcher([
      { pattern: '^(?:a|a|aa)*bad$', ignoreCase: false },
      { pattern: 'good', ignoreCase: false },
    ])
    const chunk = `${'a'.repeat(200)}bad good\n`
    const found: number[] = []
    const match = () => matcher.match(chunk, plain, ({ pattern }) => found.push(pattern))
    for (let strike = 0; strike < 3; strike += 1) {
      expect(matcher.givenUp).toBeUndefined()
      expect(match).toThrow('the pattern ^(?:a|a|aa)*bad$ took over 100ms')
    }
    expect(matcher.givenUp).toBe(0)
    match()
    expect(found).toEqual([1])
  })

  it('finds the same as looking at each line with each pattern', () => {
    const patterns = ['err(?:or)?s?: (?<cause>\\w+)', 'sda|sdb', 'xyz$']
    const word = fc.constantFrom('error: a', 'errs: b', 'sda', 'sdb', 'xyz', ' ', 'q', '\n', '\n')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const chunk = `${words.join('')}\n`
        const expected = chunk.split('\n').flatMap((line) =>
          patterns.flatMap((pattern, index) => {
            const result = new RegExp(pattern).exec(line)
            return result === null ? [] : [`${index} ${result.groups?.cause ?? ''} ${line}`]
          }),
        )
        expect(find(patterns, chunk)).toEqual(expected)
      }),
    )
  })
})

describe('records of the kernel', () => {
  it('are read as the kernel documents them', () => {
    expect(parseRecord('6,339,5140900,-;NET: Registered protocol family 10')).toEqual({
      sequence: 339,
      atMs: 5140.9,
      text: 'NET: Registered protocol family 10',
    })
    expect(parseRecord('30,340,5690716,c,caller=T1;udevd[80]: starting; version 181')?.text).toBe(
      'udevd[80]: starting; version 181',
    )
    for (const line of [' SUBSYSTEM=acpi', '', 'nonsense', '6,x,1,-;a']) expect(parseRecord(line)).toBeUndefined()
  })

  it('are numbered, over lines of properties', () => {
    const chunk = '6,7,1,-;a\n SUBSYSTEM=pci\n DEVICE=+pci:1\n6,8,2,-;b\n SUBSYSTEM=x\n'
    expect(sequencesOf(chunk)).toEqual({ first: 7, last: 8 })
    expect(sequencesOf(' only=properties\n')).toBeUndefined()
    expect(sequencesOf('')).toBeUndefined()
  })
})

describe('times in files', () => {
  const now = Date.parse('2026-01-02T00:00:00Z')
  it.each([
    ['2026-01-01T12:00:00.5Z', '2026-01-01T12:00:00.500Z'],
    ['2026-01-01 12:00:00+02:00', '2026-01-01T10:00:00.000Z'],
    ['2026-01-01 12:00:00,250Z', '2026-01-01T12:00:00.250Z'],
  ])('%s', (text, expected) => {
    expect(new Date(timeOf(text, now) ?? 0).toISOString()).toBe(expected)
  })

  it('of syslog are of the last twelve months', () => {
    const local = (text: string) => new Date(timeOf(text, now) ?? 0)
    expect([local('Jan  1 08:00:00').getFullYear(), local('Dec 31 08:00:00').getFullYear()]).toEqual([2026, 2025])
    expect(timeOf('yesterday', now)).toBeUndefined()
    expect(timeOf('', now)).toBeUndefined()
  })
})

describe('the tally', () => {
  it('keeps what counts, newest first, and lets go of the rest', () => {
    const tally = new Tally(1_000)
    tally.add({ pattern: 0, cause: 'a' }, 'old', 0, 0)
    tally.add({ pattern: 0, cause: 'a' }, 'new', 600, 600)
    tally.add({ pattern: 1, cause: '' }, 'too old already', 0, 2_000)
    expect(tally.read(900)).toEqual([{ pattern: 0, cause: 'a', text: 'new', agesMs: [300, 900] }])
    expect(tally.read(1_100)).toEqual([{ pattern: 0, cause: 'a', text: 'new', agesMs: [500] }])
    expect(tally.read(1_601)).toEqual([])
  })

  it('keeps the order of lines whose clock is ahead', () => {
    const tally = new Tally(1_000)
    tally.add({ pattern: 0, cause: '' }, 'first', 110, 100)
    tally.add({ pattern: 1, cause: '' }, 'then', 120, 100)
    expect(tally.read(100).map(({ agesMs }) => agesMs)).toEqual([[-10], [-20]])
  })

  it('is bounded, and says when it is full', () => {
    const tally = new Tally(1_000)
    for (let at = 0; at < 100_000; at += 1) tally.add({ pattern: 0, cause: 'x' }, 'y'.repeat(1_000), 0, 0)
    tally.settle()
    expect(tally.read(0)[0]?.agesMs).toHaveLength(TIMES_MAX)
    expect(tally.read(0)[0]?.text).toHaveLength(400)
    const full = Array.from({ length: 300 }, (_, index) => tally.add({ pattern: 0, cause: `c${index}` }, '', 0, 0))
    expect(full.filter((kept) => !kept)).toHaveLength(300 - 255)
    // Once those count no longer there is room again.
    expect(tally.add({ pattern: 0, cause: 'late' }, '', 5_000, 5_000)).toBe(true)
  })
})
