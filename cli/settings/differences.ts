/** What changes between two settings documents, as people read it: a line that goes, a line that comes. */
import { styleText } from 'node:util'
import type { Difference } from '../../settings/differences.ts'
import { printable } from '../text.ts'

/** Coloured where `stream` shows colours. */
export function differenceLines(changes: readonly Difference[], stream: NodeJS.WriteStream = process.stdout): string {
  const lines = changes.flatMap(({ path, before, after }) => [
    ...(before === undefined ? [] : [styleText('red', said('-', path, before), { stream })]),
    ...(after === undefined ? [] : [styleText('green', said('+', path, after), { stream })]),
  ])
  return lines.map((line) => `${line}\n`).join('')
}

function said(sign: string, path: string, value: unknown): string {
  return printable(`${sign} ${path}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
}
