/** A fixer on a made-up host, of a mesh with real keys, and what agents and aggregators say to it. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, silentLog } from '../../../common/log.ts'
import { FIXER_SOCKET, type FixerConfig, fixerConfig } from '../../../fixer/config.ts'
import { type RunningFixer, startFixer } from '../../../fixer/fixer.ts'
import { type FixerHands, fixerHands } from '../../../fixer/hands.ts'
import type { SignedStatement, Statement } from '../../../mesh/core/model.ts'
import { publicKeyPem, writeIdentity } from '../../../mesh/identity/identity-dir.ts'
import type { Plan } from '../../../remediators/contract.ts'
import { encodeNote, permitTopic } from '../../../remediators/notes.ts'
import type { Permit } from '../../../remediators/permits.ts'
import { makePlan } from '../../../remediators/plan.ts'
import { foundMesh, MESH, type RealMesh } from '../../mesh/real-mesh.ts'
import { LEADER, nodeName } from '../../mesh/sample-mesh.ts'
import { differs, permitFor, sysctl } from '../parts.ts'

export const HERE = nodeName(0)
export const ELSEWHERE = nodeName(1)
export const LIMIT_MS = 20_000

export interface Signing {
  readonly signer?: string
  /** Whose key it is signed with. */
  readonly forger?: string
  readonly parts?: Partial<Statement>
}

export class FixerStage {
  readonly folder = mkdtempSync(join(tmpdir(), 'starling-fixer-'))
  readonly mesh: RealMesh
  readonly #running: RunningFixer[] = []
  #seq = 0

  private constructor(mesh: RealMesh) {
    this.mesh = mesh
    // A user of another test is to come as far as the socket.
    chmodSync(this.folder, 0o711)
    mkdirSync(join(this.folder, 'host/proc/sys/vm'), { recursive: true })
    mkdirSync(join(this.folder, 'host/etc'), { recursive: true })
    writeFileSync(this.swappinessFile, '60\n')
    writeFileSync(join(this.folder, 'ca.pem'), publicKeyPem(mesh.ca.publicKey))
    const { keys, certificate } = mesh.enrolled(HERE)
    writeIdentity(join(this.folder, 'agent'), { seed: keys.seed, certificate, roster: mesh.signedRoster() })
  }

  static async found(): Promise<FixerStage> {
    return new FixerStage(await foundMesh(3))
  }

  get swappinessFile(): string {
    return join(this.folder, 'host/proc/sys/vm/swappiness')
  }

  get swappiness(): string {
    return readFileSync(this.swappinessFile, 'utf8').trim()
  }

  get root(): string {
    return join(this.folder, 'host')
  }

  get socket(): string {
    return join(this.folder, 'run', FIXER_SOCKET.split('/').at(-1) ?? '')
  }

  config(parts: Partial<FixerConfig> = {}): FixerConfig {
    return fixerConfig.parse({
      mesh: MESH,
      remediators: ['sysctl'],
      socket: { path: this.socket },
      agentStateDir: join(this.folder, 'agent'),
      ca: join(this.folder, 'ca.pem'),
      root: this.root,
      plugins: { folder: join(this.folder, 'plugins') },
      stateDir: join(this.folder, 'fixer'),
      ...parts,
    })
  }

  /** In this process. */
  async start(parts: Partial<FixerConfig> = {}, log: Log = silentLog): Promise<FixerHands> {
    this.#running.push(await startFixer(this.config(parts), () => log))
    return fixerHands(this.socket)
  }

  async stop(): Promise<void> {
    for (const fixer of this.#running.splice(0)) await fixer.stop()
  }

  async tearDown(): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true })
  }

  /** From 60, which it is, to 10. */
  plan(parts: Partial<Pick<Plan, 'node' | 'remediator'>> = {}): Plan {
    const { node = HERE, remediator = 'sysctl' } = parts
    const change = { what: 'vm.swappiness', before: '60', after: '10', undo: 'sysctl -w vm.swappiness=60' }
    return makePlan({ ...sysctl, name: remediator }, differs(undefined, undefined, undefined, { node }), [change], WALL)
  }

  sign(permit: Permit, { signer = LEADER, forger = signer, parts = {} }: Signing = {}): SignedStatement {
    const { serial } = this.mesh.enrolled(signer).member
    const body = { kind: 'note', topic: permitTopic(permit.planId), bytes: encodeNote(permit) } as const
    const statement: Statement = { signer, serial, boot: 1, seq: ++this.#seq, ttlMs: 30_000, body, ...parts }
    return { statement, signature: this.mesh.keyringOf(forger).sign('statement', statement) }
  }

  /** A permit for `plan` that answers a nonce of the fixer's, and that `hands` know as it was signed. */
  async permit(hands: FixerHands, plan: Plan, parts: Partial<Permit> = {}): Promise<Permit> {
    const permit = permitFor(plan, { id: `permit-${++this.#seq}`, nonce: await hands.challenge(), ...parts })
    hands.keep(permit.id, this.sign(permit))
    return permit
  }
}

const WALL = '2026-01-01T00:00:00.000Z'
