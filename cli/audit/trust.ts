/** Whose signatures under a history count: those of the aggregators in a roster that the mesh CA vouches for. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { publicKeyOfPeer, rawPublicKey } from '../../mesh/identity/keys.ts'
import { readRoster } from '../../mesh/identity/signed-roster.ts'

export interface TrustOptions {
  readonly dir: string
  readonly mesh: string
  readonly roster?: string
  readonly ca?: string
  /** Peer ids that count beside those of the roster. */
  readonly signer: readonly string[]
}

/** Throws UsageError when nothing says whose signatures count, and StarlingError for a roster that cannot be used. */
export function signersOf({ dir, mesh, signer, ...files }: TrustOptions): ReadonlySet<string> {
  for (const peerId of signer) requireKey(peerId)
  const roster = files.roster ?? join(dir, 'aggregator-1', 'roster')
  const ca = files.ca ?? join(dir, 'ca.pem')
  const isNamed = files.roster !== undefined || files.ca !== undefined
  if (!isNamed && !existsSync(roster) && signer.length > 0) return new Set(signer)
  const [rosterBytes, caBytes] = [read(roster), read(ca)]
  try {
    const { aggregators } = readRoster(rosterBytes, rawPublicKey(caBytes), mesh, Date.now())
    return new Set([...signer, ...aggregators.map(({ peerId }) => peerId)])
  } catch (cause) {
    const remedy = 'give the roster and the CA of its mesh, and the mesh by --mesh'
    throw new StarlingError(`${roster} cannot be used: ${messageOf(cause)}`, { remedy, cause })
  }
}

function requireKey(peerId: string): void {
  try {
    publicKeyOfPeer(peerId)
  } catch {
    throw new UsageError(`"${peerId}" is no peer id`, 'write it as `starling audit verify` and the roster show it')
  }
}

function read(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file))
  } catch (error) {
    const remedy = 'say whose signatures count: by --roster and --ca, or by --signer'
    throw new UsageError(`cannot read ${file}: ${messageOf(error)}`, remedy)
  }
}
