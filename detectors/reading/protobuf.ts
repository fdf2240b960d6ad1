/** Messages of Protocol Buffers, read field by field: what a service adds later is skipped, as the format means it. */
import { type Reader, reader } from 'protons-runtime'

/** What to do with each field by its number; it must take the value from the reader. */
export type Fields = Readonly<Record<number, (value: Reader) => void>>

/** Calls `fields` for those that are in `bytes`, in their order. Throws an Error that names `what` when it is no message. */
export function readMessage(what: string, bytes: Uint8Array, fields: Fields): void {
  const from = reader(bytes)
  try {
    while (from.pos < from.len) {
      const tag = from.uint32()
      const field = fields[tag >>> 3]
      if (field === undefined) from.skipType(tag & 7)
      else field(from)
    }
  } catch (error) {
    throw new Error(`${what} is not of the form that it should have`, { cause: error })
  }
}
