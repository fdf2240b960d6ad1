/**
 * The dialect of Nagios and Monitoring Plugins (Monitoring Plugins Development Guidelines): exit code 0 is fine, 1 a
 * warning, 2 critical, anything else unknown; text, then after a `|` the performance data.
 */
import type { Measure } from '../../contract.ts'
import {
  complaint,
  oneLine,
  type PluginOutput,
  type PluginResult,
  printable,
  printableName,
  requireWhole,
} from '../result.ts'

const STATES = ['ok', 'warning', 'critical']

/** One figure of the performance data: `'label'=value[UOM];[warn];[crit];[min];[max]`. */
export interface PerfDatum {
  readonly label: string
  /** Undefined: the plugin could not determine it, and said `U`. */
  readonly value: number | undefined
  readonly unit: string
  /** As written; empty when none was given. */
  readonly warn: string
  readonly crit: string
}

export function parseNagios(output: PluginOutput): readonly PluginResult[] {
  const code = requireWhole(output)
  const state = STATES[code]
  if (state === undefined) throw new Error(complaint(output))
  const { text, perfdata } = splitOutput(output.stdout)
  const figures = parsePerfdata(perfdata)
  const measures = figures.map((datum) => measureOf(datum, state))
  // Those over their threshold first: of many only the first are kept.
  const evidence = [
    { name: 'exit code', value: code, unit: '' },
    ...measures.filter((_, index) => isBreached(figures[index], state)),
    ...measures.filter((_, index) => !isBreached(figures[index], state)),
  ]
  return [{ state, cause: '', message: text || `exit code ${code}`, evidence }]
}

/**
 * The first line up to its `|` is the message. What follows the `|`, and in the lines below everything from the next `|`
 * on, is performance data; the text between is detail, which a person gets from running it.
 */
export function splitOutput(stdout: string): { readonly text: string; readonly perfdata: string } {
  const newline = stdout.indexOf('\n')
  const first = newline === -1 ? stdout : stdout.slice(0, newline)
  const rest = newline === -1 ? '' : stdout.slice(newline + 1)
  const bar = first.indexOf('|')
  const text = bar === -1 ? first : first.slice(0, bar)
  const restBar = rest.indexOf('|')
  const perfdata = [bar === -1 ? '' : first.slice(bar + 1), restBar === -1 ? '' : rest.slice(restBar + 1)].join(' ')
  return { text: printable(text) || oneLine(restBar === -1 ? rest : rest.slice(0, restBar)), perfdata }
}

/** A label, quoted if it holds blanks, with `''` for a quote; then all up to the next blank. */
const DATUM = /(?:'((?:[^']|'')*)'|([^'=\s][^=\s]*))=(\S*)/g
const VALUE = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)([^\d;\s.,-]\S*)?$/i

/** Passes over what is not of the format, as Nagios does: a plugin's answer does not depend on it. */
export function parsePerfdata(text: string): readonly PerfDatum[] {
  return [...text.matchAll(DATUM)].flatMap(([, quoted, plain, fields = '']) => {
    const label = printableName((quoted ?? plain ?? '').replaceAll("''", "'"))
    const [figure = '', warn = '', crit = ''] = fields.split(';')
    const value = VALUE.exec(figure)
    if (label === '' || (value === null && figure !== 'U')) return []
    return [{ label, value: value === null ? undefined : Number(value[1]), unit: value?.[2] ?? '', warn, crit }]
  })
}

/**
 * Whether a threshold alerts on `value`. A range is `[@][start:]end`: outside of it alerts, with `@` inside. Without a
 * start it begins at 0; `~` is no lower end, nothing after the colon no upper. Undefined when `range` is none.
 */
export function alertsOn(range: string, value: number): boolean | undefined {
  const parts = /^(@?)(?:(~|-?\d+(?:\.\d+)?):)?(-?\d+(?:\.\d+)?)?$/.exec(range)
  if (parts === null || (parts[2] === undefined && parts[3] === undefined)) return undefined
  const [, inside, from = '0', to] = parts
  const start = from === '~' ? -Infinity : Number(from)
  const end = to === undefined ? Infinity : Number(to)
  const isWithin = value >= start && value <= end
  return inside === '@' ? isWithin : !isWithin
}

function isBreached(datum: PerfDatum | undefined, state: string): boolean {
  if (datum?.value === undefined) return false
  return alertsOn(limitOf(datum, state), datum.value) === true
}

function limitOf({ warn, crit }: PerfDatum, state: string): string {
  return state === 'critical' ? crit || warn : warn
}

function measureOf(datum: PerfDatum, state: string): Measure {
  const { label, value, unit } = datum
  const limit = limitOf(datum, state)
  const plain = /^-?\d+(\.\d+)?$/.test(limit) ? Number(limit) : limit
  return { name: label, value: value ?? 'undetermined', ...(limit === '' ? {} : { limit: plain }), unit }
}
