/** The report of one bench run: one JSON object for machines, the same as a table for people. */
import { cpus, release, totalmem, type } from 'node:os'
import { styleText } from 'node:util'
import type { BenchOutcome, Target } from './bench.ts'

const GIB = 1024 ** 3

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly node: string
}

export interface BenchReport extends BenchOutcome {
  readonly bench: string
  readonly machine: Machine
}

/** Figures from two machines can only be compared by someone who knows what these were. */
export function thisMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round((totalmem() / GIB) * 10) / 10,
    kernel: `${type()} ${release()}`,
    node: process.version,
  }
}

export function isMet(target: Target): boolean {
  return target.op === '<=' ? target.value <= target.target : target.value >= target.target
}

/** The report as text; `stream` decides whether it is coloured. */
export function renderReport(report: BenchReport, stream: NodeJS.WritableStream): string {
  const { machine } = report
  const paint = (color: 'bold' | 'green' | 'red', text: string) => styleText(color, text, { stream })
  const settings = Object.entries(report.settings).map(([name, value]) => `${name} ${value}`)
  const results = report.results.map((row) => [row.name, formatFigure(row.value), row.unit])
  const targets = report.targets.map((row) => [
    row.name,
    formatFigure(row.value),
    row.unit,
    `${row.op} ${formatFigure(row.target)}`,
    isMet(row) ? paint('green', 'met') : paint('red', 'missed'),
  ])
  return [
    `${paint('bold', report.bench)}  ${settings.join(', ')}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}, Node ${machine.node}`,
    ...(results.length > 0 ? ['', ...table(results)] : []),
    ...(targets.length > 0 ? ['', 'targets', ...table(targets)] : []),
    '',
  ].join('\n')
}

/** Columns are as wide as their widest cell; the second one holds figures and is set flush right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row) => {
    const cells = row.map((cell, column) => {
      const width = widths[column] ?? 0
      return column === 1 ? cell.padStart(width) : cell.padEnd(width)
    })
    return `  ${cells.join('  ').trimEnd()}`
  })
}

/** Three significant digits below 1,000: more are noise of the machine. */
function formatFigure(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}
