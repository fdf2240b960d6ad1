/** `starling audit` of a history in a real PostgreSQL, as an operator runs it, with the password in the file of PGPASSFILE. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPostgres } from '../../aggregator/history/postgres/history.ts'
import { signerOf } from '../aggregator/audit/tampered.ts'
import { event } from '../aggregator/event.ts'
import { run } from '../cli/harness.ts'
import { needsPostgres, PASSWORD, Postgres } from '../postgres.ts'
import { describeReal } from '../real-part.ts'

describeReal('audit of a history in PostgreSQL', needsPostgres(), () => {
  let server: Postgres
  let folder: string
  let url: string
  const signer = signerOf('aggregator-1')
  beforeAll(async () => {
    server = await Postgres.start()
    folder = mkdtempSync(join(tmpdir(), 'starling-audit-postgres-'))
    passwords('right', PASSWORD)
    passwords('wrong', 'wrong')
    url = await server.fresh()
    const history = openPostgres({ url, passwordFile: server.passwordFile })
    await history.append(Array.from({ length: 1_005 }, (_, n) => event(`e${n + 1}`)))
    await history.trail.seal(await signer)
    await history.append([event('last')])
    await history.close()
  }, 120_000)
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  })

  /** As the manual of PostgreSQL has it, 34.16. */
  function passwords(name: string, password: string): void {
    const file = join(folder, name)
    writeFileSync(file, `*:*:*:*:${password}\n`)
    chmodSync(file, 0o600)
  }
  async function audit(args: readonly string[], { store = url, password = 'right' } = {}) {
    const env = { PGPASSFILE: join(folder, password) }
    const whole = ['audit', ...args, '--store', store]
    return await run(whole, { env, cwd: folder })
  }
  const verify = async (options: Parameters<typeof audit>[1] = {}, ...args: string[]) => {
    return await audit(['verify', '--mesh', 'test', '--signer', (await signer).peerId, ...args], options)
  }

  it('says that it holds, and how far it is signed', async () => {
    const { code, stdout } = await verify()
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^holds: 1006 events from 1 on, 1 signed head\nsigned up to event 1005 by aggregator-1 \(12D3/,
    )
    expect(stdout).toContain('\n1 event at the end fit')
    const json = JSON.parse((await verify({}, '-o', 'json')).stdout)
    expect(json).toMatchObject({
      kind: 'AuditResult',
      items: [{ holds: true, checked: 1_006, unsigned: 1, misfit: null }],
    })
  }, 60_000)

  it('writes all of it as JSON lines', async () => {
    const { code, stdout } = await audit(['export'])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect([code, lines.length]).toEqual([0, 1 + 1_006 + 1])
    expect(lines[1].event).toMatchObject({ seq: 1, id: 'e1' })
  }, 60_000)

  it('says that the password is wrong, that nobody listens, and that there is none', async () => {
    const wrong = await verify({ password: 'wrong' })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('password authentication failed')])
    const nobody = await verify({ store: 'postgres://starling@127.0.0.1:1/x' })
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')])
    const noDatabase = await verify({ store: url.replace(/\w+$/, 'nowhere') })
    expect([noDatabase.code, noDatabase.stderr]).toEqual([1, expect.stringContaining('"nowhere" does not exist')])
    const empty = await server.fresh()
    const none = await verify({ store: empty })
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('there is no history in this PostgreSQL')])
    const client = server.client(empty)
    await client.connect()
    const made = await client.query("SELECT 1 FROM pg_namespace WHERE nspname = 'starling'")
    await client.end()
    expect(made.rows).toEqual([])
    const said = [wrong, nobody, noDatabase, none].map(({ stdout, stderr }) => stdout + stderr).join('\n')
    expect(said).not.toContain(PASSWORD)
  }, 120_000)

  it('names the first event that somebody changed, and exits with 3', async () => {
    const client = server.client(url)
    await client.connect()
    await client.query(`ALTER TABLE starling.events DISABLE TRIGGER USER;
      UPDATE starling.events SET summary = 'nothing' WHERE seq = 5`)
    await client.end()
    const { code, stdout } = await verify({}, '-o', 'json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout).items[0]).toMatchObject({ holds: false, misfit: { what: 'altered', seq: 5, id: 'e5' } })
  }, 60_000)
})
