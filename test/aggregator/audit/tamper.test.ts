/** Whatever somebody does to a stored history without the aggregator's key is found, at the event where it shows. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CHAIN_ROOT, linkHash } from '../../../aggregator/audit/chain.ts'
import { type HeadSigner, signHead } from '../../../aggregator/audit/head.ts'
import { event } from '../event.ts'
import { History, signerOf } from './tampered.ts'

let history: History
let signer: HeadSigner
beforeEach(async () => {
  history = new History()
  signer = await signerOf('aggregator-1')
  history.write(9, signer, [3, 6])
})
afterEach(() => history.clean())

describe('a history that nobody touched', () => {
  it('holds, and says how far it is signed', async () => {
    expect(await history.check(signer)).toMatchObject({
      holds: true,
      first: 1,
      checked: 9,
      earlier: 0,
      heads: 2,
      signed: { seq: 6, node: 'aggregator-1', signer: signer.peerId },
      unsigned: 3,
      misfit: null,
    })
  })

  it('is signed no second time for the same events, and for all of them at the end', async () => {
    expect(history.store.trail.unsealed()).toBe(3)
    expect(history.store.trail.seal(signer)).toMatchObject({ number: 3, seq: 9 })
    expect(history.store.trail.seal(signer)).toBeUndefined()
    expect(await history.check(signer)).toMatchObject({ heads: 3, unsigned: 0 })
  })

  it('holds with what a page cannot show and a file cannot keep', async () => {
    const odd = { '2': 'two', '1': 1.5, nothing: undefined, minus: -0, never: Number.NaN, ['__proto__']: 'x' }
    history.store.append(event('odd \ud800', { summary: 'half a pair: \udc00, \u0000, 漢字', data: odd }))
    expect(await history.check(signer)).toMatchObject({ holds: true, checked: 10 })
  })

  it('holds beyond one page', async () => {
    for (let n = 0; n < 1_100; n++) history.store.append(event(`more-${n}`))
    expect(await history.check(signer)).toMatchObject({ holds: true, checked: 1_109 })
  })

  it('holds when there is nothing in it', async () => {
    const empty = new History()
    expect(await empty.check(signer)).toMatchObject({ holds: true, checked: 0, heads: 0, signed: null })
    empty.clean()
  })
})

describe('what somebody with the file did', () => {
  const misfits: readonly (readonly [string, string, object])[] = [
    [
      'a flipped bit in a summary',
      "UPDATE events SET summary = 'event e5' || char(33) WHERE id = 'e5'",
      { what: 'altered', seq: 5, id: 'e5' },
    ],
    [
      'a space more in the data',
      "UPDATE events SET data = replace(data, ',', ', ') WHERE id = 'e2'",
      { what: 'altered', seq: 2, id: 'e2' },
    ],
    ['another node', "UPDATE events SET node = 'node-2' WHERE id = 'e1'", { what: 'altered', seq: 1, id: 'e1' }],
    [
      'a changed hash',
      "UPDATE events SET hash = replace(hash, substr(hash, 1, 8), '00000000') WHERE id = 'e4'",
      { what: 'altered', seq: 4 },
    ],
    ['a hash taken away', "UPDATE events SET hash = NULL WHERE id = 'e4'", { what: 'unhashed', seq: 4, id: 'e4' }],
    ['a deleted event', "DELETE FROM events WHERE id = 'e4'", { what: 'missing', seq: 4, id: '' }],
    ['the first event deleted', "DELETE FROM events WHERE id = 'e1'", { what: 'missing', seq: 1, id: '' }],
    [
      'a deleted event, and those after it moved up',
      "DELETE FROM events WHERE id = 'e4'; UPDATE events SET seq = seq - 1 WHERE seq > 4",
      { what: 'altered', seq: 4, id: 'e5' },
    ],
    [
      'an event put in',
      `UPDATE events SET seq = -(seq + 1) WHERE seq > 4; UPDATE events SET seq = -seq WHERE seq < 0;
       INSERT INTO events SELECT 5, 'new', at, kind, node, tone, summary, caused_by, data, hash FROM events WHERE seq = 4`,
      { what: 'altered', seq: 5, id: 'new' },
    ],
    [
      'two events exchanged',
      'UPDATE events SET seq = -5 WHERE seq = 5; UPDATE events SET seq = 5 WHERE seq = 8; UPDATE events SET seq = 8 WHERE seq = -5',
      { what: 'altered', seq: 5, id: 'e8' },
    ],
    ['the end cut off, beyond the last head', 'DELETE FROM events WHERE seq > 5', { what: 'missing', seq: 6, id: '' }],
    ['the end cut off, after the last head', 'DELETE FROM events WHERE seq > 7', { what: 'missing', seq: 8, id: '' }],
    [
      'the end cut off with the places that were given',
      "DELETE FROM events WHERE seq > 5; UPDATE sqlite_sequence SET seq = 5 WHERE name = 'events'",
      { what: 'missing', seq: 6, id: '' },
    ],
    ['a head deleted', 'DELETE FROM heads WHERE number = 1', { what: 'head', seq: 6, id: 'e6' }],
    ['the last head deleted', 'DELETE FROM heads WHERE number = 2', { what: 'head', seq: 9 }],
    [
      'a head that says another time',
      "UPDATE heads SET at = '2020-01-01T00:00:00.000Z' WHERE number = 1",
      { what: 'head', seq: 3 },
    ],
    ['a head for another event', 'UPDATE heads SET seq = 4 WHERE number = 1', { what: 'head', seq: 4 }],
    [
      'the chain said to begin later',
      'UPDATE events SET hash = NULL WHERE seq < 4; UPDATE chain SET first = 4; DELETE FROM heads WHERE number = 1',
      { what: 'altered', seq: 4 },
    ],
  ]
  it.each(misfits)('finds %s', async (_, statements, misfit) => {
    history.tamper(statements)
    const result = await history.check(signer)
    expect(result).toMatchObject({ holds: false, misfit })
    expect(result.misfit?.why).not.toBe('')
  })

  it('finds a history that was written anew with hashes that hang together, from the last head that held', async () => {
    history.tamper("UPDATE events SET summary = 'it was somebody else' WHERE seq = 5")
    history.linkAnew(5)
    const { misfit, heads } = await history.check(signer)
    expect(misfit).toMatchObject({ what: 'rewritten', seq: 6, id: 'e6' })
    expect(misfit?.why).toMatch(/^what stands in 4 to 6 was written anew: aggregator-1 signed /)
    expect(heads).toBe(1)
  })

  it('finds a head that somebody else signed, under their own name and under another', async () => {
    const forger = await signerOf('forger')
    history.tamper("UPDATE events SET summary = 'it was somebody else' WHERE seq = 9")
    history.linkAnew(9)
    const hash = String(history.store.trail.rows(8)[0]?.hash)
    const forge = (as: HeadSigner) => {
      const head = signHead(as, { number: 3, first: 1, seq: 9, hash, at: '2026-01-02T03:04:05.678Z' })
      history.tamper(`DELETE FROM heads WHERE number = 3;
        INSERT INTO heads VALUES (3, 9, 1, '${hash}', '${head.at}', '${head.node}', '${head.signer}', '${head.signature}')`)
      return history.check(signer)
    }
    expect((await forge(forger)).misfit?.why).toContain('is no aggregator known here')
    expect((await forge({ ...forger, peerId: signer.peerId })).misfit?.why).toContain('was not signed so by')
    expect((await forge({ ...signer, mesh: 'another' })).misfit?.why).toContain('was not signed so by')
    expect((await forge({ ...signer, peerId: 'no key' })).misfit).toMatchObject({ what: 'head', seq: 9, id: 'e9' })
  })

  it('finds what even the last head was deleted for, by a head that was noted elsewhere', async () => {
    const noted = { seq: 6, hash: String(history.store.trail.signed(1)[0]?.hash) }
    expect((await history.check(signer, { noted })).holds).toBe(true)
    history.tamper(`DELETE FROM events WHERE seq > 4; DELETE FROM heads WHERE number = 2;
      UPDATE sqlite_sequence SET seq = 4 WHERE name = 'events'; UPDATE sqlite_sequence SET seq = 1 WHERE name = 'heads'`)
    // Without it nothing is left that would show it.
    expect((await history.check(signer)).holds).toBe(true)
    expect(await history.check(signer, { noted })).toMatchObject({ holds: false, misfit: { what: 'missing', seq: 6 } })
    for (const id of ['f5', 'f6']) history.store.append(event(id))
    expect(await history.check(signer, { noted })).toMatchObject({ misfit: { what: 'rewritten', seq: 6, id: 'f6' } })
  })

  it('is not signed over', () => {
    history.tamper("UPDATE events SET hash = 'x' WHERE seq = 6")
    expect(() => history.store.trail.seal(signer)).toThrow('event 6 is not what head 2 was signed for')
    expect(history.store.trail.signed(2)).toEqual([])
  })
})

it('hashes the deterministic CBOR of the hash before and the event', () => {
  // Counted with an encoder written for this line, by RFC 8949, 4.2.1.
  const hash = '7425368d46387f92ff02d466f45009658bdfc528b6de34d663b938a21a99b21c'
  expect(linkHash(CHAIN_ROOT, { ...event('a'), seq: 1, data: '{}' })).toBe(hash)
})
