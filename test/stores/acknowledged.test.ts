/** A real aggregator whose history is in a real PostgreSQL: what people decide is answered once it is there, too. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPostgres } from '../../aggregator/history/postgres/history.ts'
import type { Event, Snapshot } from '../../aggregator/model.ts'
import { readOrMakeToken } from '../../aggregator/token.ts'
import { found } from '../../cli/local/found.ts'
import { layOut } from '../../cli/local/layout.ts'
import { newFolder } from '../e2e/local-mesh.ts'
import { DEADLINE_MS, waitFor } from '../e2e/starling.ts'
import { OneAggregator } from '../e2e/two-aggregators.ts'
import { freePort } from '../mesh/sockets.ts'
import { needsPostgres, Postgres } from '../postgres.ts'
import { describeReal } from '../real-part.ts'

interface Decided {
  readonly event: Event
  readonly singleCopy?: true
}

describeReal('what people decide, with PostgreSQL', needsPostgres(), () => {
  let server: Postgres
  let url: string
  let dir: string
  let one: OneAggregator
  beforeAll(async () => {
    server = await Postgres.start()
    url = await server.fresh()
    dir = newFolder()
    const port = () => freePort('127.0.0.1')
    const [meshPort, kubeletPort, httpPort] = await Promise.all([port(), port(), port()])
    const layout = await layOut({ dir, nodes: 1, httpPort, meshPort, kubeletPort })
    const path = join(layout.aggregator.dir, 'history.sqlite')
    const store = { path, url, passwordFile: server.passwordFile }
    await found(layout, { hostRoot: '/', logFormat: 'json', aggregatorConfig: { store } })
    one = new OneAggregator(layout.aggregator, readOrMakeToken(join(dir, 'token')), httpPort)
    one.start()
  }, 2 * DEADLINE_MS)
  afterAll(async () => {
    await one.stop()
    await server.stop()
    rmSync(dir, { recursive: true, force: true })
  }, DEADLINE_MS)

  const until = <T>(what: string, look: () => T | Promise<T>) => waitFor(what, look, () => one.log.slice(-3_000))
  const copies = async () => (await one.get<Snapshot>('/api/v1/state')).copies
  const allThere = () => until('all is carried', async () => (await copies())?.behind === 0)
  const decide = (reason: string) =>
    one.post<Decided>('/api/v1/silences', { match: { reasons: ['DiskAlmostFull'] }, for: '1h', reason })
  const idsThere = async () => {
    const history = openPostgres({ url, passwordFile: server.passwordFile })
    return (await history.query({ limit: 1_000 }).finally(() => history.close())).map(({ id }) => id)
  }
  const kindsThere = async (kind: 'single-copy' | 'copied') =>
    (await one.events(`&kind=${kind}`)).filter(({ data }) => String(data.others) === 'PostgreSQL').length

  it(
    'and was acknowledged is there when the aggregator is killed and its disk is gone',
    async () => {
      await allThere()
      const decided: string[] = []
      // On a busy machine it can take longer than a second: then the answer says so, and promises nothing.
      await until('acknowledged decisions', async () => {
        const { event, singleCopy } = await decide(`reason ${decided.length}`)
        if (singleCopy === undefined) decided.push(event.id)
        return decided.length >= 3
      })
      await one.lose()
      expect(await idsThere()).toEqual(expect.arrayContaining(decided))
    },
    3 * DEADLINE_MS,
  )

  it(
    'while it is away is answered as a single copy, with an alarm until it is there',
    async () => {
      one.start()
      await allThere()
      const before = await kindsThere('single-copy')
      await server.crash()
      const { event, singleCopy } = await decide('it is away')
      expect(singleCopy).toBe(true)
      await until('the alarm', async () => (await copies())?.isSingle === true)
      expect(await copies()).toMatchObject({ others: ['PostgreSQL'], isSingle: true })
      await server.resume()
      await until('the end of the alarm', async () => (await kindsThere('copied')) > before)
      expect(await kindsThere('single-copy')).toBeGreaterThan(before)
      expect(await idsThere()).toContain(event.id)
      await until('a decision in two places', async () => (await decide('it is back')).singleCopy === undefined)
    },
    3 * DEADLINE_MS,
  )
})
