/** A history in a file, signed by a real key, and hands that change it behind the back of its triggers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CHAIN_ROOT, linkHash } from '../../../aggregator/audit/chain.ts'
import type { AuditResult, Trust } from '../../../aggregator/audit/check.ts'
import type { HeadSigner } from '../../../aggregator/audit/head.ts'
import { checkTrail } from '../../../aggregator/audit/walk.ts'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import { keyPairFromSeed } from '../../../mesh/identity/keys.ts'
import { event } from '../event.ts'

export const MESH = 'test'

export async function signerOf(name: string): Promise<HeadSigner> {
  const keys = await keyPairFromSeed(Buffer.alloc(32, name))
  return { mesh: MESH, node: name, peerId: keys.peerId, sign: keys.sign }
}

export class History {
  readonly dir = mkdtempSync(join(tmpdir(), 'starling-audit-'))
  readonly file = join(this.dir, 'history.sqlite')
  store: SqliteJournal = openJournal(this.file)

  /** Appends events `e1` to `eN`, and signs after each whose number is given. */
  write(count: number, signer: HeadSigner, sealedAt: readonly number[]): void {
    for (let n = 1; n <= count; n++) {
      this.store.append(event(`e${n}`, { data: { n, nested: { list: [1, 'zwei', null] } } }))
      if (sealedAt.includes(n)) this.store.trail.seal(signer)
    }
  }

  /** As somebody with the file and no key: the triggers are gone, and back for whoever looks. */
  tamper(statements: string): void {
    const database = new DatabaseSync(this.file)
    const triggers = database.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
    for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`)
    database.exec(statements)
    for (const { sql } of triggers) database.exec(String(sql))
    database.close()
  }

  /** Gives each event of the chain from `from` on the hash that its content has now. */
  linkAnew(from: number): void {
    const { trail } = this.store
    const rows = trail.rows(trail.frame().first - 1)
    let before = CHAIN_ROOT
    for (const row of rows) {
      if (row.seq >= from) this.tamper(`UPDATE events SET hash = '${linkHash(before, row)}' WHERE seq = ${row.seq}`)
      before = row.seq >= from ? linkHash(before, row) : String(row.hash)
    }
  }

  check(signer: HeadSigner, more: Pick<Trust, 'noted'> = {}): Promise<AuditResult> {
    return checkTrail(this.store.trail, { mesh: MESH, signers: new Set([signer.peerId]), ...more })
  }

  clean(): void {
    this.store.close()
    rmSync(this.dir, { recursive: true })
  }
}
