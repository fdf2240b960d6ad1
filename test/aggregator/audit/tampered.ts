/** A history in a file, signed by a real key, and hands that change it behind the back of its triggers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CHAIN_ROOT, linkHash } from '../../../aggregator/audit/chain.ts'
import type { AuditResult, Trust } from '../../../aggregator/audit/check.ts'
import type { HeadSigner } from '../../../aggregator/audit/head.ts'
import { checkTrail } from '../../../aggregator/audit/walk.ts'
import { defineFunctions } from '../../../aggregator/store/functions.ts'
import { openJournal, type SqliteJournal } from '../../../aggregator/store/sqlite.ts'
import { keyPairFromSeed } from '../../../mesh/identity/keys.ts'
import { event } from '../event.ts'

export const MESH = 'test'

export async function signerOf(name: string): Promise<HeadSigner> {
  const keys = await keyPairFromSeed(Buffer.alloc(32, name))
  return { mesh: MESH, node: name, peerId: keys.peerId, sign: keys.sign }
}

const text = (field: string) => `starling_text(texts, w.word, at, '${field}')`
const PLAIN = `
  CREATE TEMP TABLE events AS SELECT seq, ${text('id')} AS id, ${text('at')} AS at, k.word AS kind, w.word AS node,
    t.word AS tone, ${text('summary')} AS summary, ${text('causedBy')} AS caused_by, ${text('data')} AS data,
    lower(hex(hash)) AS hash
  FROM main.events e JOIN words k ON k.number = kind JOIN words w ON w.number = node JOIN words t ON t.number = tone`
const number = (name: string) => `(SELECT number FROM words WHERE word = ${name})`
const PACKED = `
  INSERT OR IGNORE INTO words (word) SELECT node FROM temp.events;
  CREATE TEMP TABLE given AS SELECT name, seq FROM sqlite_sequence;
  DELETE FROM main.events;
  INSERT INTO main.events SELECT seq, starling_key(id), starling_ms(at), ${number('kind')}, ${number('node')},
    ${number('tone')}, starling_pack(id, at, node, summary, caused_by, data), unhex(hash) FROM temp.events;
  UPDATE sqlite_sequence SET seq = (SELECT seq FROM given WHERE given.name = sqlite_sequence.name)`

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
    // Under the names and in the words that a person would use, and then as it is kept.
    defineFunctions(database)
    database.exec(`${PLAIN}; ${statements}; ${PACKED}`)
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
