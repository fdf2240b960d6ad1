/** A recording in as few bytes as it takes, and back, where it comes from a node that is not trusted. */
import { promisify } from 'node:util'
import { brotliCompress, brotliDecompressSync, constants } from 'node:zlib'
import { z } from 'zod'
import { messageOf, StarlingError } from '../../common/errors.ts'
import { PACKED_BYTES_MAX } from './notes.ts'
import { type Recorded, recordedSchema } from './recorded.ts'

/** Of what a detector reads on a node for it. Text of /proc is packed to a tenth and less, so that more seldom fits a note. */
export const READ_BYTES_MAX = 1024 * 1024
/** What it becomes as JSON, where each quote and newline takes two characters, and what a packed one may swell to. */
const UNPACKED_BYTES_MAX = 4 * READ_BYTES_MAX
/** Of 11; each more takes longer and saves little. */
const QUALITY = 5

/** Throws a StarlingError when it is too large to travel. */
export async function packRecording(recorded: Recorded): Promise<Uint8Array> {
  const text = JSON.stringify(recorded)
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITY }
  const packed = await promisify(brotliCompress)(text, { params })
  if (packed.length <= PACKED_BYTES_MAX && Buffer.byteLength(text) <= UNPACKED_BYTES_MAX) return packed
  throw new StarlingError(
    `the recording is ${packed.length} bytes when packed, and ${PACKED_BYTES_MAX} may pass over the mesh`,
  )
}

/** Throws a StarlingError for what is no recording. */
export function unpackRecording(packed: Uint8Array): Recorded {
  try {
    const bytes = brotliDecompressSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
    return recordedSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : messageOf(cause)
    throw new StarlingError(`what the node answered is no recording: ${why}`, { cause })
  }
}
