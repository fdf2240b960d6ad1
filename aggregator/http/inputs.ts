/** What several routes take. */
import { z } from 'zod'

const NAME_CHARS_MAX = 253

export const nodeName = z.string().min(1).max(NAME_CHARS_MAX)
export const NodeParams = z.object({ node: nodeName })
export const IdParams = z.object({ id: z.string().min(1).max(200) })

/** Several in a query, joined by commas. */
export function listOf<T extends z.ZodType<unknown, string>>(item: T) {
  return z
    .string()
    .meta({ description: 'several are joined by commas' })
    .transform((text) => text.split(','))
    .pipe(z.array(item).max(200))
}

export const via = z.enum(['page', 'cli', 'api'])

/** A person's word, with why. */
export const ReleaseBody = z.strictObject({
  reason: z.string().trim().min(1, 'say why, it is kept with the decision').max(500),
  via: via.default('api'),
})

export const PlanQuery = z.strictObject({ since: z.iso.datetime({ offset: true }) })
