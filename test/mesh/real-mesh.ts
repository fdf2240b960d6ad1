/** A mesh with real keys, certificates and a signed roster. Keys come from the names, so that every run has the same. */
import { createHash } from 'node:crypto'
import type { Keyring, Member, Roster } from '../../mesh/core/model.ts'
import { type Enrolment, issueCertificate } from '../../mesh/identity/enrolment.ts'
import { createKeyring } from '../../mesh/identity/keyring.ts'
import { type KeyPair, keyPairFromSeed } from '../../mesh/identity/keys.ts'
import { rosterHash, signRoster } from '../../mesh/identity/signed-roster.ts'
import { LEADER, nodeName } from './sample-mesh.ts'

export const MESH = 'real'
const DAY_MS = 86_400_000

export interface Enrolled {
  readonly member: Member
  readonly keys: KeyPair
  readonly certificate: Uint8Array
}

export function keysNamed(name: string): Promise<KeyPair> {
  return keyPairFromSeed(new Uint8Array(createHash('sha256').update(name).digest()))
}

/** A certificate for `member`, signed by `ca`; `parts` make it another's, or an old one. */
export function certify(ca: KeyPair, member: Member, parts: Partial<Enrolment> = {}): Uint8Array {
  const { node, serial, peerId, zone } = member
  const notAfterMs = Date.now() + DAY_MS
  return issueCertificate(ca, { mesh: MESH, node, serial, peerId, zone, roles: [], notAfterMs, ...parts })
}

export class RealMesh {
  readonly ca: KeyPair
  readonly roster: Roster
  readonly rosterHash: string
  readonly #enrolled: ReadonlyMap<string, Enrolled>

  constructor(ca: KeyPair, enrolled: readonly Enrolled[]) {
    this.ca = ca
    this.#enrolled = new Map(enrolled.map((one) => [one.member.node, one]))
    const all = enrolled.map(({ member }) => member)
    const members = all.filter(({ node }) => node !== LEADER)
    const aggregators = all.filter(({ node }) => node === LEADER)
    this.roster = { mesh: MESH, epoch: 1, previous: '', seed: 'seed', members, aggregators }
    this.rosterHash = rosterHash(this.roster)
  }

  enrolled(node: string): Enrolled {
    const one = this.#enrolled.get(node)
    if (one === undefined) throw new Error(`${node} is not enrolled`)
    return one
  }

  keyringOf(node: string): Keyring {
    return createKeyring(this.enrolled(node).keys, this.roster)
  }

  signedRoster(): Uint8Array {
    const { keys, certificate } = this.enrolled(LEADER)
    return signRoster(keys, certificate, this.roster)
  }
}

/** `nodes` members in three zones, and one aggregator. `placed` says where each is reached. */
export async function foundMesh(
  nodes: number,
  placed: (index: number) => Partial<Member> = () => ({}),
): Promise<RealMesh> {
  const ca = await keysNamed('ca')
  const names = [...Array.from({ length: nodes }, (_, index) => nodeName(index)), LEADER]
  const enrolled = names.map(async (node, index): Promise<Enrolled> => {
    const keys = await keysNamed(node)
    const zone = node === LEADER ? '' : `zone-${index % 3}`
    const place = { hosts: ['127.0.0.1'], meshPort: 7946, kubeletPort: 10_250, ...placed(index) }
    const member: Member = { node, serial: index + 1, zone, roles: [], peerId: keys.peerId, ...place }
    return { member, keys, certificate: certify(ca, member) }
  })
  return new RealMesh(ca, await Promise.all(enrolled))
}
