/**
 * Rules over measures in the users' form, as `avg(memory) over 5m > 80 on pool=x`: read from text, with errors that say at
 * which place in it something is wrong and what could stand there.
 */
import { durationMs, isDuration } from '../common/duration.ts'
import { nearest } from '../common/nearest.ts'
import type { Selector } from '../common/selector.ts'
import { MEASURES, type MeasureName } from '../inspection/measures.ts'

/**
 * `avg` holds each host or container by itself against the limit, by its average over the time; of a workload it adds up
 * those of its containers, wherever they run. The others make one figure of all these averages.
 */
export const AGGREGATES = ['avg', 'max', 'min', 'sum', 'count'] as const
export type Aggregate = (typeof AGGREGATES)[number]

export const COMPARISONS = ['>=', '<=', '>', '<'] as const
export type Comparison = (typeof COMPARISONS)[number]

export const SCOPES = ['host', 'container', 'workload'] as const
export type Scope = (typeof SCOPES)[number]

export interface MeasureExpression {
  readonly aggregate: Aggregate
  readonly measure: MeasureName
  readonly overMs: number
  readonly comparison: Comparison
  /** In the measure's own unit. */
  readonly limit: number
  readonly scope: Scope
  /** That a container must have; empty for hosts. */
  readonly labels: Readonly<Record<string, string>>
  /** Hosts; undefined for all. */
  readonly on: Selector | undefined
}

/** What is wrong, with the place of it, counted from 1. */
export class ExpressionError extends Error {
  override name = 'ExpressionError'
  readonly column: number
  constructor(column: number, message: string) {
    super(`at character ${column}: ${message}`)
    this.column = column
  }
}

/** Of a few samples, each of a minute, up to what nodes keep. */
const OVER_MS_MIN = 60_000
const OVER_MS_MAX = 3_600_000
const TEXT_CHARS_MAX = 1_000
const SIZES = { Ki: 1_024, Mi: 1_024 ** 2, Gi: 1_024 ** 3 } as const

interface Token {
  readonly text: string
  /** From 1. */
  readonly column: number
}

const SELECTOR_KEYS = { role: 'roles', pool: 'pools', zone: 'zones', node: 'nodes' } as const

/** Throws ExpressionError. */
export function readExpression(text: string): MeasureExpression {
  if (text.length > TEXT_CHARS_MAX) throw new ExpressionError(TEXT_CHARS_MAX + 1, 'it is too long')
  const words = new Words(text)
  const aggregate = words.oneOf(AGGREGATES, 'how the values are put together')
  words.exactly('(')
  const measure = words.oneOf(Object.keys(MEASURES) as MeasureName[], 'a measure')
  words.exactly(')')
  words.exactly('over')
  const overMs = words.length()
  const comparison = words.oneOf(COMPARISONS, 'a comparison')
  const limit = words.number()
  let of: { readonly scope: Scope; readonly labels: Readonly<Record<string, string>> } | undefined
  let on: Selector | undefined
  while (!words.atEnd) {
    const { text: word, column } = words.next('of or on')
    if (word === 'of' && of === undefined) of = readScope(words)
    else if (word === 'on' && on === undefined) on = readSelector(words)
    else throw new ExpressionError(column, `${shown(word)} is not expected here: write of, on, or nothing more`)
  }
  return { aggregate, measure, overMs, comparison, limit, scope: 'host', labels: {}, ...of, on }
}

/** As it reads again to the same. */
export function writeExpression({ labels, on, ...rule }: MeasureExpression): string {
  const head = `${rule.aggregate}(${rule.measure}) over ${rule.overMs / 1_000}s ${rule.comparison} ${rule.limit}`
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  const of = rule.scope === 'host' ? '' : ` of ${[rule.scope, pairs.join(',')].join(' ').trim()}`
  const places = Object.entries(SELECTOR_KEYS).flatMap(([key, kind]) =>
    (on?.[kind] ?? []).map((one) => `${key}=${one}`),
  )
  return `${head}${of}${places.length === 0 ? '' : ` on ${places.join(',')}`}`
}

function readScope(words: Words): { readonly scope: Scope; readonly labels: Readonly<Record<string, string>> } {
  const { column } = words.peek
  const scope = words.oneOf(SCOPES, 'whose measure it is')
  const labels: Record<string, string> = {}
  for (const { key, value, column: at } of words.pairs()) {
    if (scope === 'host')
      throw new ExpressionError(at, 'hosts are chosen by on, as in on pool=x; labels are of containers')
    if (Object.hasOwn(labels, key)) throw new ExpressionError(at, `label ${shown(key)} is given twice`)
    Object.defineProperty(labels, key, { value, enumerable: true })
  }
  if (scope === 'workload' && Object.keys(labels).length === 0)
    throw new ExpressionError(column, 'a workload is told by its labels, as in of workload app=shop')
  return { scope, labels }
}

function readSelector(words: Words): Selector {
  const chosen: Partial<Record<(typeof SELECTOR_KEYS)[keyof typeof SELECTOR_KEYS], string[]>> = {}
  const { column } = words.peek
  for (const { key, value, column: at } of words.pairs()) {
    if (!Object.hasOwn(SELECTOR_KEYS, key)) {
      throw new ExpressionError(at, unknown(key, Object.keys(SELECTOR_KEYS), 'a way to choose hosts'))
    }
    const kind = SELECTOR_KEYS[key as keyof typeof SELECTOR_KEYS]
    chosen[kind] = [...(chosen[kind] ?? []), value]
  }
  if (Object.keys(chosen).length === 0)
    throw new ExpressionError(column, 'write which hosts, as in on pool=x,role=etcd')
  return chosen
}

class Words {
  readonly #tokens: readonly Token[]
  readonly #end: Token
  #at = 0

  constructor(text: string) {
    this.#tokens = [...text.matchAll(/[(),]|[<>]=?|[^\s(),<>]+/g)].map(({ 0: word, index }) => {
      return { text: word, column: index + 1 }
    })
    this.#end = { text: '', column: text.trimEnd().length + 1 }
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length
  }

  get peek(): Token {
    return this.#tokens[this.#at] ?? this.#end
  }

  next(wanted: string): Token {
    const token = this.peek
    if (this.atEnd) throw new ExpressionError(token.column, `it ends here, and ${wanted} is missing`)
    this.#at++
    return token
  }

  exactly(word: string): void {
    const { text, column } = this.next(word)
    if (text !== word) throw new ExpressionError(column, `${shown(text)} is not expected here: write ${word}`)
  }

  oneOf<T extends string>(words: readonly T[], what: string): T {
    const { text, column } = this.next(`${what} (${words.join(', ')})`)
    const found = words.find((word) => word === text)
    if (found === undefined) throw new ExpressionError(column, unknown(text, words, what))
    return found
  }

  length(): number {
    const { text, column } = this.next('a length of time, as 5m,')
    if (!isDuration(text)) throw new ExpressionError(column, `${shown(text)} is no length of time: write it as 5m`)
    const ms = durationMs(text)
    if (ms < OVER_MS_MIN || ms > OVER_MS_MAX) throw new ExpressionError(column, `${text} must lie between 1m and 1h`)
    return ms
  }

  number(): number {
    const { text, column } = this.next('a number')
    const match = /^(-?\d{1,15}(?:\.\d{1,9})?)(Ki|Mi|Gi)?$/.exec(text)
    if (match === null) throw new ExpressionError(column, `${shown(text)} is no number: write it as 80, 0.5 or 100Mi`)
    return Number(match[1]) * (match[2] === undefined ? 1 : SIZES[match[2] as keyof typeof SIZES])
  }

  /** `a=b,c=d`, until something else comes. */
  *pairs(): Generator<{ readonly key: string; readonly value: string; readonly column: number }> {
    let wanted = this.peek.text.includes('=')
    while (wanted) {
      const { text, column } = this.next('NAME=VALUE')
      const cut = text.indexOf('=')
      if (cut <= 0 || cut === text.length - 1) throw new ExpressionError(column, `${shown(text)} is not NAME=VALUE`)
      yield { key: text.slice(0, cut), value: text.slice(cut + 1), column }
      wanted = this.peek.text === ','
      if (wanted) this.#at++
    }
  }
}

function unknown(word: string, words: readonly string[], what: string): string {
  const meant = nearest(word, words)
  const hint = meant === undefined ? '' : `did you mean ${meant}? `
  return `${shown(word)} is not ${what}: ${hint}write one of ${words.join(', ')}`
}

function shown(word: string): string {
  return JSON.stringify(word.slice(0, 50))
}
