/** A member of the mesh with a certificate and no honesty: it asks for a fix that a person is to have approved. */
import { randomBytes } from 'node:crypto'
import type { Finding } from '../../detectors/contract.ts'
import { encodeReport, reportTopic } from '../../detectors/engine/report-note.ts'
import { loadIdentity } from '../../mesh/identity/identity-dir.ts'
import { startMeshNode } from '../../mesh/libp2p/mesh-node.ts'
import type { MeshNode } from '../../mesh/libp2p/running-node.ts'
import type { Plan, Remediation } from '../../remediators/contract.ts'
import {
  decodeRefusal,
  encodeNote,
  permitRequestTopic,
  refusalTopic,
  remediationTopic,
} from '../../remediators/notes.ts'
import { makePlan } from '../../remediators/plan.ts'
import { type Part, reasonOf, remediatorOf } from './parts.ts'

const TTL_MS = 300_000

interface ForgerInit {
  readonly stateDir: string
  readonly ca: string
  readonly mesh: string
  readonly listen: { readonly host: string; readonly port: number }
}

export class Forger {
  readonly #mesh: MeshNode
  readonly #node: string
  #plan: Plan | undefined

  private constructor(mesh: MeshNode, node: string) {
    this.#mesh = mesh
    this.#node = node
  }

  static async start({ stateDir, ca, mesh: id, listen }: ForgerInit): Promise<Forger> {
    const identity = await loadIdentity(stateDir, ca, id)
    const { node } = identity.enrolment
    const forger: Forger = new Forger(
      await startMeshNode({
        identity: { ...identity, node },
        roster: identity.roster,
        rosterBytes: identity.rosterBytes,
        listen,
        onStatement: ({ statement: { body } }) => {
          if (body.kind === 'note') forger.#hear(body.topic, body.bytes)
        },
        onRoster: () => {},
        onDocument: () => {},
        onCommit: () => {},
        onNotice: () => {},
        onTraffic: () => {},
      }),
      node,
    )
    return forger
  }

  /** Reports the part as broken, and asks for a fix with the id of a decision that nobody took. */
  forge(part: Part): void {
    const finding: Finding = {
      id: `${this.#node}/parts/${reasonOf(part)}/#1`,
      node: this.#node,
      detector: 'parts',
      reason: reasonOf(part),
      cause: '',
      status: 'alarm',
      summary: 'it says that it is broken',
      evidence: [],
      since: new Date().toISOString(),
      observedAt: new Date().toISOString(),
      ttlMs: TTL_MS,
    }
    const change = { what: 'a part', before: 'broken', after: 'whole', undo: 'break it' }
    const remediator = { name: remediatorOf(part), reach: 'none', risk: 'low' } as const
    const plan = makePlan(remediator, finding, [change], new Date().toISOString())
    this.#plan = plan
    this.#mesh.publish(reportTopic('parts'), encodeReport([finding]), TTL_MS)
    this.#says({ phase: 'proposed', why: 'approved, it says' })
    const { id: planId, node, planHash, evidenceHash } = plan
    const nonce = randomBytes(16).toString('hex')
    const request = {
      node,
      planId,
      planHash,
      evidenceHash,
      nonce,
      mode: 'approve',
      decisionId: 'decision-forged',
    } as const
    this.#mesh.publish(permitRequestTopic(planId), encodeNote(request), TTL_MS)
  }

  async stop(): Promise<void> {
    await this.#mesh.stop({ reason: 'stopped', forMs: 1_000 })
  }

  #hear(topic: string, bytes: Uint8Array): void {
    if (this.#plan === undefined || topic !== refusalTopic(this.#plan.id)) return
    const { guards } = decodeRefusal(bytes)
    this.#says({ phase: 'refused', why: 'it was found out', guards })
  }

  #says(word: Pick<Remediation, 'phase' | 'why' | 'guards'>): void {
    if (this.#plan === undefined) return
    const at = new Date().toISOString()
    const rest = { policy: 'asked', mode: 'approve', rung: 1, attempt: 1, decisionId: 'decision-forged' } as const
    const remediation: Remediation = { plan: this.#plan, at, ...rest, ...word }
    this.#mesh.publish(remediationTopic(this.#plan.id), encodeNote(remediation), TTL_MS)
  }
}
