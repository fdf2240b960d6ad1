/** What SQL needs of ours: for the steps from one schema to the next, and for whoever looks into the file by hand. */
import type { DatabaseSync } from 'node:sqlite'
import { keyOf, millisecondsOf, packTexts, unpackTexts } from './packing.ts'

export function defineFunctions(database: DatabaseSync): void {
  const define = (name: string, act: (...given: never[]) => string | number | bigint | Uint8Array | null) => {
    database.function(name, { deterministic: true, directOnly: true }, act as never)
  }
  define('starling_key', (id: string) => BigInt(keyOf(id)))
  define('starling_ms', (at: string) => BigInt(millisecondsOf(at)))
  define('starling_pack', (id: string, at: string, node: string, summary: string, causedBy: string, data: string) => {
    return packTexts({ id, at, summary, causedBy, data }, node)
  })
  define('starling_text', (packed: Uint8Array, node: string, ms: number, field: string) => {
    return unpackTexts(packed, node, ms)[field as 'id']
  })
}
