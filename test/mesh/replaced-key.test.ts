/** An epoch that gives a member's name to another key, on real sockets: who has the old key is out at once. */
import { expect, test, vi } from 'vitest'
import { rosterHash, signRoster } from '../../mesh/identity/signed-roster.ts'
import { foundOnLoopback, live, memberPuppet } from './live-mesh.ts'
import { keysNamed } from './real-mesh.ts'
import { LEADER, nodeName } from './sample-mesh.ts'
import { PATIENCE } from './sockets.ts'

const [ONE, TWO, REPLACED] = [nodeName(0), nodeName(1), nodeName(2)]

test('its connections are cut, and it is refused from then on', async () => {
  const mesh = await foundOnLoopback(3, 150)
  const [one, two] = await Promise.all([live(mesh, ONE), live(mesh, TWO)])
  const { member } = mesh.enrolled(ONE)
  const old = await memberPuppet(mesh, REPLACED)
  await old.opens(member)
  await old.happens('opened by them', 2)
  const cut = old.count('closed by them')

  const { keys, certificate } = mesh.enrolled(LEADER)
  const { peerId } = await keysNamed('another machine')
  const members = mesh.roster.members.map((each) => {
    return each.node === REPLACED ? { ...each, peerId, serial: each.serial + 1 } : each
  })
  const later = { ...mesh.roster, epoch: 2, previous: rosterHash(mesh.roster), members }
  for (const { node } of [one, two]) node.advance(signRoster(keys, certificate, later))

  await old.happens('closed by them', cut + 2)
  await vi.waitFor(() => expect(old.open.has(ONE)).toBe(false), PATIENCE)
  const opened = old.count('opened')
  const closed = old.count('closed')
  old.transport.dial(member)
  await old.happens('closed', closed + 1)
  expect(old.count('opened')).toBe(opened)
  await Promise.all([one.hears(TWO), two.hears(ONE)])
})
