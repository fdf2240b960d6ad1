/** Looking into a zod schema: which keys an object takes, and where its single values are. */
import { z } from 'zod'

/** One value that is no object of its own, such as `mesh.id`. */
export interface SchemaLeaf {
  readonly path: readonly string[]
  readonly schema: z.ZodType
}

/**
 * The keys that the object at `path` takes; none when there is no object with fixed keys at that place. `value`: what was
 * given for the whole schema, which tells of alternatives the one that is meant.
 */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[], value?: unknown): readonly string[] {
  let here: z.ZodType | undefined = schema
  let given = value
  for (const key of path) {
    here = innerOf(here, String(key), given)
    if (here === undefined) return []
    given = valueAt(given, key)
  }
  return Object.keys(shapeOf(alternativeOf(here, given)) ?? {})
}

/** Every single value of an object schema, in the order of its definition. */
export function leavesOf(schema: z.ZodType, path: readonly string[] = []): readonly SchemaLeaf[] {
  const shape = shapeOf(schema)
  if (shape === null) return [{ path, schema }]
  return Object.entries(shape).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}

/** An object within an object schema, such as `mesh`. */
export interface SchemaPart {
  readonly path: readonly string[]
  /** It may be left out. */
  readonly isOptional: boolean
}

/** Every object below the outermost, each before those within it. */
export function partsOf(schema: z.ZodType, path: readonly string[] = []): readonly SchemaPart[] {
  return Object.entries(shapeOf(schema) ?? {}).flatMap(([key, inner]) => {
    if (shapeOf(inner) === null) return []
    const part = { path: [...path, key], isOptional: inner instanceof z.ZodOptional }
    return [part, ...partsOf(inner, part.path)]
  })
}

function innerOf(schema: z.ZodType, key: string, value: unknown): z.ZodType | undefined {
  const bare = unwrap(alternativeOf(schema, value))
  if (bare instanceof z.ZodArray) return bare.element as z.ZodType
  if (bare instanceof z.ZodRecord) return bare.valueType as z.ZodType
  return shapeOf(bare)?.[key]
}

/** Of objects told apart by one key the one whose key has the given value; any other schema itself. */
function alternativeOf(schema: z.ZodType, value: unknown): z.ZodType {
  const bare = unwrap(schema)
  if (!(bare instanceof z.ZodDiscriminatedUnion)) return bare
  const { discriminator } = bare.def
  const options = bare.options as readonly z.ZodType[]
  const meant = options.find((option) => {
    return shapeOf(option)?.[discriminator]?.safeParse(valueAt(value, discriminator)).success === true
  })
  return meant ?? bare
}

function valueAt(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined
}

function shapeOf(schema: z.ZodType): Record<string, z.ZodType> | null {
  const bare = unwrap(schema)
  return bare instanceof z.ZodObject ? (bare.shape as Record<string, z.ZodType>) : null
}

/** The schema itself, whatever defaults and modifiers are wrapped around it. */
function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.in as z.ZodType)
  const wrapped =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodReadonly
  return wrapped ? unwrap(schema.unwrap() as z.ZodType) : schema
}
