/** Records in a file, one after the other: length, checksum, bytes. What a crash left half written is found, and is the end. */
import { crc32 } from 'node:zlib'

const HEADER_BYTES = 8

export function frameOf(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(HEADER_BYTES + bytes.length)
  frame.writeUInt32BE(bytes.length, 0)
  frame.writeUInt32BE(crc32(bytes), 4)
  frame.set(bytes, HEADER_BYTES)
  return frame
}

/** Those that are whole, in their order, and how many bytes they take. */
export function framesIn(file: Uint8Array): { readonly frames: readonly Uint8Array[]; readonly wholeBytes: number } {
  const content = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const frames: Uint8Array[] = []
  let at = 0
  while (at + HEADER_BYTES <= content.length) {
    const end = at + HEADER_BYTES + content.readUInt32BE(at)
    const bytes = content.subarray(at + HEADER_BYTES, end)
    if (end > content.length || crc32(bytes) !== content.readUInt32BE(at + 4)) break
    frames.push(bytes)
    at = end
  }
  return { frames, wholeBytes: at }
}
