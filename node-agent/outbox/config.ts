/** What an agent's file may say of its outbox. */
import { z } from 'zod'

const MEBIBYTE = 1024 * 1024

export const outboxPart = z.strictObject({
  /** The most that it takes on disk, bytes: 16 MiB is a day of 12 records a minute of 1 KB each. */
  bytes: z
    .int()
    .min(MEBIBYTE)
    .max(1024 * MEBIBYTE)
    .default(16 * MEBIBYTE),
})
