/** Where an aggregator keeps its journal and its history, and for how long: the section `store` of its file. */
import { z } from 'zod'

/** Beyond a hundred years nothing is gained by letting go. */
const DAYS_MAX = 36_500
const days = z.int().min(0).max(DAYS_MAX)

export const storePart = z.strictObject({
  /** The SQLite file that holds the journal, and the history where there is no `url`. */
  path: z.string().min(1).default('/var/lib/starling/history.sqlite'),
  /**
   * A PostgreSQL that holds the history, as `postgres://starling@db.example:5432/starling?sslmode=verify-full`. Without a
   * password: that is in `passwordFile`, or in the file that PGPASSFILE names.
   */
  url: z
    .url({ protocol: /^postgres(ql)?$/ })
    .refine((url) => new URL(url).password === '', 'the password belongs into a file: see store.passwordFile')
    .optional(),
  passwordFile: z.string().min(1).optional(),
  /** A damaged file is kept under another name and a new one is begun, or the aggregator does not start. */
  onDamage: z.enum(['set-aside', 'refuse']).default('set-aside'),
  /** Days; 0 keeps it for ever. */
  retention: z
    .strictObject({
      events: days.default(90),
      measures: days.default(400),
      inspections: days.default(400),
    })
    .prefault({}),
})

export type StoreConfig = z.infer<typeof storePart>
