/** The fields of what may come over the wire, by name: for each it can be asked whether anything in it was ever refused. */
import { decode } from 'cborg'
import { z } from 'zod'
import { decodeMessage } from '../../../mesh/wire/codec.ts'
import { messageSchema } from '../../../mesh/wire/schema.ts'

/** As `kind field.field`; entries of arrays are `[]`, and what statements of several kinds have in common is one field. */
export function allFields(): ReadonlySet<string> {
  return new Set(
    messageSchema.options.flatMap((option) => fieldsIn(option).map((field) => `${option.shape.kind.value} ${field}`)),
  )
}

/** Those at fault in a frame; undefined for a message. Empty when it is not even CBOR. */
export function refusedFields(frame: Uint8Array): readonly string[] | undefined {
  try {
    decodeMessage(frame)
    return undefined
  } catch (error) {
    if (!(error instanceof z.ZodError)) return []
    const { kind } = (decode(frame) ?? {}) as { kind?: unknown }
    if (typeof kind !== 'string') return []
    return error.issues.map(
      ({ path }) => `${kind} ${path.map((part) => (typeof part === 'number' ? '[]' : String(part))).join('.')}`,
    )
  }
}

function fieldsIn(schema: z.core.$ZodType, path: readonly string[] = []): readonly string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as z.core.$ZodShape).flatMap(([name, part]) => fieldsIn(part, [...path, name]))
  }
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap((option) => fieldsIn(option, path))
  if (schema instanceof z.ZodArray) return [path.join('.'), ...fieldsIn(schema.element, [...path, '[]'])]
  if (schema instanceof z.ZodTuple) return schema.def.items.flatMap((item) => fieldsIn(item, [...path, '[]']))
  return schema instanceof z.ZodLiteral ? [] : [path.join('.')]
}
