/** Samples as bytes. They are what a detector likes: maps, sets and big integers too. */
import { deserialize, serialize } from 'node:v8'

/** Of the samples of one detector, as they are written; the newest that fit. The others are taken anew. */
const PAST_BYTES_MAX = 32 * 1024

/** `past`: newest first. */
export function encodePast(past: readonly unknown[]): readonly string[] {
  const encoded: string[] = []
  let length = 0
  for (const sample of past) {
    const next = serialized(sample)?.toString('base64')
    if (next === undefined) break
    length += next.length
    if (length > PAST_BYTES_MAX) break
    encoded.push(next)
  }
  return encoded
}

/** Throws an Error for what `encodePast` did not write. */
export function decodeSample(encoded: string): unknown {
  return deserialize(Buffer.from(encoded, 'base64'))
}

/** How much a sample takes when it is written down; 0 for one that cannot be. */
export function sampleBytes(sample: unknown): number {
  return serialized(sample)?.length ?? 0
}

/** Undefined for a sample with a function in it or the like. */
function serialized(sample: unknown): Buffer | undefined {
  try {
    return serialize(sample)
  } catch {
    return undefined
  }
}
