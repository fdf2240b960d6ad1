/** How commands print: results to stdout, as a table or as versioned JSON; notes to stderr, out of the way of pipes. */
import { type Command, Option } from 'commander'
import { printable } from './text.ts'

export type OutputFormat = 'table' | 'json'

/** Changes when a field that scripts read is renamed or removed. */
export const API_VERSION = 'starling.mesh/v1alpha1'

export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table'),
  )
}

export function print(text: string): void {
  process.stdout.write(text)
}

export function printJson(kind: string, items: readonly unknown[]): void {
  print(`${JSON.stringify({ apiVersion: API_VERSION, kind, items }, null, 2)}\n`)
}

export function note(text: string): void {
  process.stderr.write(`${printable(text)}\n`)
}

/** One line on stderr with how much is behind, where people look at it. */
export function showProgress(what: string): { tell(done: number, of: number): void; end(): void } {
  const { stderr } = process
  if (!stderr.isTTY) return { tell: () => {}, end: () => {} }
  return {
    tell: (done, of) => stderr.write(`\r${printable(what)}: ${Math.floor((100 * done) / Math.max(1, of))} %`),
    end: () => stderr.write(CLEAR_LINE),
  }
}

/** To the start of the line, and clear it (ECMA-48). */
const CLEAR_LINE = '\r\u001b[K'

/** One line on stderr with the seconds that have passed, where people look at it. Returns how to take it away. */
export function showWaiting(what: string): () => void {
  const { stderr } = process
  if (!stderr.isTTY) return () => {}
  let seconds = 0
  const show = () => stderr.write(`\r${printable(what)}: ${seconds++} s`)
  show()
  const timer = setInterval(show, 1_000)
  return () => {
    clearInterval(timer)
    stderr.write(CLEAR_LINE)
  }
}
