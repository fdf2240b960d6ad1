/** Looking into a zod schema: which keys an object takes, and where its single values are. */
import { z } from 'zod'

/** One value that is no object of its own, such as `mesh.id`. */
export interface SchemaLeaf {
  readonly path: readonly string[]
  readonly schema: z.ZodType
}

/** The keys that the object at `path` takes; none when there is no object with fixed keys at that place. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let here: z.ZodType | undefined = schema
  for (const key of path) {
    const shape: Record<string, z.ZodType> | null = shapeOf(here)
    here = shape?.[String(key)]
    if (here === undefined) return []
  }
  return Object.keys(shapeOf(here) ?? {})
}

/** Every single value of an object schema, in the order of its definition. */
export function leavesOf(schema: z.ZodType, path: readonly string[] = []): readonly SchemaLeaf[] {
  const shape = shapeOf(schema)
  if (shape === null) return [{ path, schema }]
  return Object.entries(shape).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
}

function shapeOf(schema: z.ZodType): Record<string, z.ZodType> | null {
  const bare = unwrap(schema)
  return bare instanceof z.ZodObject ? (bare.shape as Record<string, z.ZodType>) : null
}

/** The schema itself, whatever defaults and modifiers are wrapped around it. */
function unwrap(schema: z.ZodType): z.ZodType {
  const wrapped =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodReadonly
  return wrapped ? unwrap(schema.unwrap() as z.ZodType) : schema
}
