/** Reading a YAML file that a person wrote: bounded, and each value can be traced back to its line. */
import { readFileSync, statSync } from 'node:fs'
import { isMap, isNode, isScalar, LineCounter, type ParsedNode, parseDocument } from 'yaml'
import { messageOf, UsageError } from './errors.ts'

/** More than any settings file of ours; a device or a log given by mistake must not fill the memory. */
const FILE_BYTES_MAX = 1024 * 1024
/** How often anchors may be expanded in all; small files with nested anchors can otherwise grow beyond all bounds. */
const ALIAS_COUNT_MAX = 100

export interface YamlFile {
  readonly file: string
  /** Plain objects, arrays and scalars; an empty file is an empty object. */
  readonly value: Record<string, unknown>
  /** `file:line` of the value at `path`, of its key `key` if given, or of the nearest thing around it that is written down. */
  placeOf(path: readonly PropertyKey[], key?: string): string
}

/** Reads and parses `file`. Throws UsageError when it cannot be read, is over 1 MiB, is no YAML or no mapping. */
export function readYamlFile(file: string): YamlFile {
  return parseYaml(readBounded(file), file)
}

/** Like readYamlFile, for text that is there already; `file` is what errors call it. */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problem = document.errors[0]
  if (problem !== undefined) {
    const line = lines.linePos(problem.pos[0]).line
    throw new UsageError(`${file}:${line}: not valid YAML: ${problem.message}`)
  }
  return {
    file,
    value: toPlainObject(() => document.toJS({ maxAliasCount: ALIAS_COUNT_MAX }), file),
    placeOf: (path, key) => {
      const offset = offsetOf(document.contents, path, key)
      return offset === null ? file : `${file}:${lines.linePos(offset).line}`
    },
  }
}

function readBounded(file: string): string {
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new UsageError(`${file} is larger than 1 MiB`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`)
  }
}

function toPlainObject(convert: () => unknown, file: string): Record<string, unknown> {
  let value: unknown
  try {
    value = convert() ?? {}
  } catch (error) {
    throw new UsageError(`${file}: not valid YAML: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(`${file}: must hold keys and values, as in "log: {level: info}"`)
  return value as Record<string, unknown>
}

function offsetOf(contents: ParsedNode | null, path: readonly PropertyKey[], key: string | undefined): number | null {
  let here: unknown = contents
  let offset = contents?.range[0] ?? null
  for (const step of key === undefined ? path : [...path, key]) {
    const pair = isMap(here)
      ? here.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      : null
    // A key is where the reader looks; a list item has none, so its value is.
    const next: unknown = pair ? pair.value : hasItems(here) ? here.items[Number(step)] : undefined
    const shown: unknown = pair ? pair.key : next
    if (!(isNode(shown) && shown.range)) return offset
    offset = shown.range[0]
    here = next
  }
  return offset
}

function hasItems(node: unknown): node is { items: readonly unknown[] } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items) && !isMap(node)
}
