/** Whom a fixer believes: the aggregators of a roster that goes back to the CA. Of what the agent tells it, nothing. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readCertificate } from '../mesh/identity/enrolment.ts'
import { verifierFor } from '../mesh/identity/keyring.ts'
import { rawPublicKey } from '../mesh/identity/keys.ts'
import { readRoster } from '../mesh/identity/signed-roster.ts'
import { decodeValue } from '../mesh/wire/codec.ts'
import { signedStatementSchema } from '../mesh/wire/schema.ts'
import { decodePermit, permitTopic } from '../remediators/notes.ts'
import type { Permit } from '../remediators/permits.ts'

export interface TrustInit {
  readonly mesh: string
  /** File with the CA's public key, PEM. */
  readonly ca: string
  readonly agentStateDir: string
}

export interface Trust {
  /** The node whose certificate the agent holds. Rejects when there is none that holds. */
  nodeOfAgent(): Promise<string>
  /**
   * The permit in `bytes`, a signed statement. Rejects unless an aggregator of the roster signed it; a roster that is older
   * than `epochMin` counts for nothing. `epoch`: of the roster that it was checked by.
   */
  permitIn(bytes: Uint8Array, epochMin: number): Promise<{ readonly permit: Permit; readonly epoch: number }>
}

export function createTrust({ mesh, ca, agentStateDir }: TrustInit): Trust {
  const caKey = async () => rawPublicKey(await readFile(ca))
  return {
    async nodeOfAgent() {
      const certificate = await readFile(join(agentStateDir, 'cert'))
      return readCertificate(certificate, await caKey(), mesh, Date.now()).node
    },
    async permitIn(bytes, epochMin) {
      // Anew each time: the mesh hands on a later one, by which somebody else may be an aggregator.
      const roster = readRoster(await readFile(join(agentStateDir, 'roster')), await caKey(), mesh, Date.now())
      const { epoch } = roster
      if (epoch < epochMin) throw new Error(`the roster of epoch ${epoch} is older than one that was seen before`)
      const { statement, signature } = decodeSigned(bytes)
      const { signer, serial, body } = statement
      const isAggregator = roster.aggregators.some((one) => one.node === signer && one.serial === serial)
      if (!isAggregator) throw new Error(`${signer} is no aggregator`)
      if (!verifierFor(roster)(signer, 'statement', statement, signature)) {
        throw new Error(`the permit is not signed by ${signer}`)
      }
      if (body.kind !== 'note') throw new Error('the statement is no permit')
      const permit = decodePermit(body.bytes)
      if (body.topic !== permitTopic(permit.planId)) throw new Error('the statement is no permit')
      return { permit, epoch }
    },
  }
}

function decodeSigned(bytes: Uint8Array) {
  try {
    return decodeValue(signedStatementSchema, bytes)
  } catch (cause) {
    throw new Error('the permit is no signed statement', { cause })
  }
}
