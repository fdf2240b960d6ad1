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
