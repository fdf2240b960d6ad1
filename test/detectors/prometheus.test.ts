import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type PrometheusSample,
  prometheusReader,
  prometheusSamples,
  prometheusValue,
} from '../../detectors/reading/prometheus.ts'

const read = (text: string, ...names: string[]) => [
  ...prometheusSamples(text, names.length === 0 ? undefined : new Set(names)),
]

describe('metrics in the text format of Prometheus', () => {
  it.each([
    ['up 1', { name: 'up', labels: {}, value: 1 }],
    ['up\t1\r', { name: 'up', labels: {}, value: 1 }],
    ['up{} 0.5', { name: 'up', labels: {}, value: 0.5 }],
    ['up {a="b"} 1', { name: 'up', labels: { a: 'b' }, value: 1 }],
    [
      'a:b{c="d",e_1="f",} 3 1395066363000',
      { name: 'a:b', labels: { c: 'd', e_1: 'f' }, value: 3, timestamp: 1395066363000 },
    ],
    ['n{ a = "b" , c = "" } -2e-3', { name: 'n', labels: { a: 'b', c: '' }, value: -0.002 }],
    ['p{path="C:\\\\x",q="say \\"}\\" \\n#"} 1', { name: 'p', labels: { path: 'C:\\x', q: 'say "}" \n#' }, value: 1 }],
    ['b_bucket{le="+Inf"} 7 # {trace_id="x"} 0.6', { name: 'b_bucket', labels: { le: '+Inf' }, value: 7 }],
    ['up{a="} 7"} 2', { name: 'up', labels: { a: '} 7' }, value: 2 }],
    [
      'up{container_id="1",id="/a",image="x\\"id=\\"7"} 1',
      { name: 'up', labels: { container_id: '1', id: '/a', image: 'x"id="7' }, value: 1 },
    ],
    ['i +Inf', { name: 'i', labels: {}, value: Infinity }],
    ['i -Inf', { name: 'i', labels: {}, value: -Infinity }],
    ['i NaN', { name: 'i', labels: {}, value: Number.NaN }],
  ])('reads %s', (line, sample) => {
    expect(read(`# HELP x y\n# TYPE x gauge\n\n${line}\n`)).toEqual([sample])
    expect(read(line)).toEqual([sample])
  })

  it.each([
    'up',
    'up one',
    'up 1 2 3',
    'up 1 then',
    'up 0x',
    'up ""',
    '1up 1',
    '{a="b"} 1',
    'up{a} 1',
    'up{a=b} 1',
    'up{a="b} 1',
    'up{a="b" c="d"} 1',
    'up{a="\\t"} 1',
    'up{a="b"',
    '<html> 1',
  ])('refuses %s and says where it is', (line) => {
    expect(() => read(`fine 1\n${line}`)).toThrow('line 2 is no metric: ')
  })

  it('reads the wanted ones only, and does not take the others apart', () => {
    const text = 'a 1\nab 2\nbroken{\n{"json": 1}\na{x="y"} 3\nb 4'
    expect(read(text, 'a', 'b').map(({ value }) => value)).toEqual([1, 3, 4])
    expect(prometheusValue(read(text, 'a', 'b'), 'b')).toBe(4)
    expect(prometheusValue(read(text, 'a'), 'b')).toBeUndefined()
  })

  it('reads back whatever labels are written', () => {
    const label = fc.string({ unit: 'binary', maxLength: 40 })
    const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    fc.assert(
      fc.property(label, label, fc.integer(), (one, two, value) => {
        const wellFormed = [one, two].map((text) => text.toWellFormed())
        const [a = '', b = ''] = wellFormed
        expect(read(`m{a="${escaped(a)}",b="${escaped(b)}"} ${value}`)).toEqual([
          { name: 'm', labels: { a, b }, value },
        ])
      }),
    )
  })

  it('says so of anything else, and never hangs on it', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('a', '{', '"', '\\', '=', ',', ' ', '#', '\n', '1', '}'), maxLength: 300 }),
    )
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          read(text)
        } catch (error) {
          expect((error as Error).message).toMatch(/^line \d+ is no metric: /)
        }
      }),
    )
  })

  it('reads megabytes, with long lines of nothing but quotes and backslashes', () => {
    const line = `container_cpu_usage_seconds_total{container="x",id="/kubepods/pod${'a'.repeat(80)}",pod="p"} 1.5 1395066363000\n`
    const hostile = `other{a="${'\\"'.repeat(500_000)}"} 1\n`
    const text = `${line.repeat(25_000)}${hostile}wanted 1\n`
    expect(text.length).toBeGreaterThan(5_000_000)
    expect(read(text, 'wanted')).toHaveLength(1)
    expect(read(text, 'container_cpu_usage_seconds_total')).toHaveLength(25_000)
    expect(read(text, 'other')[0]?.labels.a).toHaveLength(500_000)
  })
})

describe('metrics that come in pieces', () => {
  const readPieces = (pieces: readonly string[], ...names: string[]) => {
    const samples: PrometheusSample[] = []
    const reader = prometheusReader(new Set(names), (sample) => samples.push(sample))
    for (const piece of pieces) reader.take(piece)
    reader.end()
    return samples
  }

  it('are the same wherever the pieces end', () => {
    const piece = fc.constantFrom('a', 'b', ' 1', '{x="y"}', '# c', '\n', '', '\n\n')
    const outcome = (samples: () => unknown) => {
      try {
        return samples()
      } catch (error) {
        return (error as Error).message
      }
    }
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        expect(outcome(() => readPieces(pieces, 'a', 'b'))).toEqual(outcome(() => read(pieces.join(''), 'a', 'b')))
      }),
    )
  })

  it('are passed over in a line that never seems to end, and those after it are not', () => {
    const endless = Array.from({ length: 200 }, () => 'x'.repeat(1_000))
    expect(readPieces(['a 1\na ', ...endless, 'tail\nb 2\n'], 'a', 'b').map(({ value }) => value)).toEqual([1, 2])
    expect(() => readPieces(['a 1\na ', ...endless, 'tail\nb\n'], 'a', 'b')).toThrow('line 3 is no metric')
  })
})
