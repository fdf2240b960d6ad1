/** What a frame holds, as plain values: looked through and changed without knowing what it means. */

export type Plain =
  | null
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [field: string]: Plain }

export type Path = readonly (string | number)[]

/** Every place in it, from the outermost in. */
export function pathsIn(value: Plain, path: Path = []): readonly Path[] {
  return [path, ...entriesOf(value).flatMap(([key, part]) => pathsIn(part, [...path, key]))]
}

export function at(value: Plain, path: Path): Plain {
  let part = value
  for (const key of path) part = entriesOf(part).find(([name]) => name === key)?.[1]
  return part
}

/** The same with something else in that place. */
export function withAt(value: Plain, [key, ...rest]: Path, change: (part: Plain) => Plain): Plain {
  if (key === undefined) return change(value)
  if (Array.isArray(value)) return value.map((part, index) => (index === key ? withAt(part, rest, change) : part))
  const fields = entriesOf(value).map(([name, part]) => [name, name === key ? withAt(part, rest, change) : part])
  return Object.fromEntries(fields)
}

/** Every part of it changed, the innermost first. */
export function mapped(value: Plain, change: (part: Plain) => Plain): Plain {
  if (Array.isArray(value)) return change(value.map((part) => mapped(part, change)))
  if (!isRecord(value)) return change(value)
  return change(Object.fromEntries(entriesOf(value).map(([name, part]) => [name, mapped(part, change)])))
}

export function isRecord(value: Plain): value is { readonly [field: string]: Plain } {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !Array.isArray(value)
}

function entriesOf(value: Plain): readonly (readonly [string | number, Plain])[] {
  if (Array.isArray(value)) return value.map((part, index) => [index, part])
  return isRecord(value) ? Object.entries(value) : []
}
