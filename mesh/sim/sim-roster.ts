/** Members and rosters of a simulated mesh. Rosters are shared by reference: bytes and hash only name the epoch. */
import type { Member, Roster } from '../core/model.ts'

export function simMember(node: string, zone: string): Member {
  return { node, serial: 1, zone, roles: [], peerId: node, hosts: [node], meshPort: 0, kubeletPort: 0 }
}

export function hashOf({ epoch }: Roster): string {
  return epoch.toString(16).padStart(64, '0')
}

export function bytesOf({ epoch }: Roster): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, epoch)
  return bytes
}

export function epochIn(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}
