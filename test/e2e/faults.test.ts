import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../aggregator/model.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { buildPage, withPage } from './browser.ts'
import { LocalMesh } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS } from './starling.ts'

const NODES = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5']
/** One test waits for a few things one after the other. */
const TEST_WITHIN_MS = 3 * DEADLINE_MS

/** What only a host that is held for dead, or hung, may be subject to. */
const GRAVE = ['candidate', 'roll-call', 'verdict', 'recovered']

describe('faults of a mesh of real processes', () => {
  let mesh: LocalMesh
  beforeAll(async () => {
    buildPage()
    mesh = await LocalMesh.up()
  }, TURN_WITHIN_MS)
  afterAll(() => mesh.stop(), TURN_WITHIN_MS)
  // What a failed test left behind must not fail the others.
  const harmed = new Set<string>()
  afterEach(async () => {
    for (const node of harmed) await chaos('resume', node)
  }, TEST_WITHIN_MS)

  const chaos = async (action: string, node: string) => {
    // A fault that comes before the observers have a vote is never found: see the column of `starling members`.
    if (action !== 'resume') await mesh.untilCovered()
    const seq = (await mesh.events()).at(-1)?.seq ?? 0
    const { code, stderr } = await mesh.run('chaos', action, node)
    expect([code, stderr]).toEqual([0, ''])
    if (action === 'resume') harmed.delete(node)
    else harmed.add(node)
    return seq
  }
  /** The events about `node` after `seq`. */
  const since = async (node: string, seq: number) =>
    (await mesh.events()).filter((event) => event.node === node && event.seq > seq)
  /** From the first cause to `event`. */
  const chain = (events: readonly StoredEvent[], event: StoredEvent): readonly string[] => {
    const cause = events.find(({ id }) => id === event.causedBy)
    return [...(cause === undefined ? [] : chain(events, cause)), event.kind]
  }
  const explain = async (node: string) => {
    const { code, stdout } = await mesh.run('explain', node)
    expect(code).toBe(0)
    return stdout
  }

  it(
    'finds a dead host, with votes that anyone can look at, and its return',
    async () => {
      const seq = await chaos('kill', 'node-3')
      const { verdictId } = await mesh.untilState('node-3', 'NodeDown')
      const verdict = (await mesh.state()).verdicts.find(({ id }) => id === verdictId)
      expect(verdict).toMatchObject({ node: 'node-3', kind: 'NodeDown', needed: 3, live: 5 })
      expect(verdict?.endedAt).toBeUndefined()
      const silent = verdict?.votes.filter(({ opinion }) => opinion === 'silent') ?? []
      expect(silent.length).toBeGreaterThanOrEqual(3)
      expect(new Set(silent.map(({ voter }) => voter)).size).toBe(silent.length)
      for (const vote of silent) expect(vote).toMatchObject({ kind: 'NodeDown', channel: 'nothing' })
      expect(silent.map(({ voter }) => voter)).not.toContain('node-3')

      expect((await mesh.run('members')).code).toBe(3)
      const events = await since('node-3', seq)
      const committed = events.find(({ kind }) => kind === 'verdict')
      if (committed === undefined) throw new Error('there is no event of the verdict')
      expect(committed.summary).toMatch(/^NodeDown: [34] of [34] observers agree \(3 needed\)/)
      expect(chain(events, committed)).toEqual(['suspected', 'candidate', 'roll-call', 'verdict'])
      const listed = await mesh.run('events', '--node', 'node-3', '--kind', 'verdict')
      expect(listed.stdout).toContain(committed.summary)
      const explained = await explain('node-3')
      expect(explained).toMatch(/^node-3 is NodeDown since /)
      expect(explained).toContain(`verdict ${verdictId}`)
      expect(explained).toMatch(
        / suspected: silent to .*\n.* └─ candidate: .*\n.* └─ roll-call: .*\n.* └─ verdict: NodeDown: /,
      )

      await chaos('resume', 'node-3')
      await mesh.untilState('node-3', 'alive')
      const recovered = await mesh.untilEvent(
        'node-3 recovered',
        (e) => e.kind === 'recovered' && e.node === 'node-3',
        seq,
      )
      expect(recovered.causedBy).toBe(committed.id)
      expect((await mesh.state()).verdicts.find(({ id }) => id === verdictId)?.endedAt).toBe(recovered.at)
      expect((await mesh.run('members')).code).toBe(0)
    },
    TEST_WITHIN_MS,
  )

  it(
    'tells a dead agent from a dead host, and hears its next life',
    async () => {
      const before = await mesh.member('node-2')
      const seq = await chaos('kill-agent', 'node-2')
      const down = await mesh.untilState('node-2', 'AgentDown')
      expect(down.verdictId).toBeUndefined()
      expect((await mesh.run('members')).code).toBe(3)
      expect(await explain('node-2')).toMatch(/^node-2 is AgentDown since [\s\S]*agent-down: its host answers/)

      await chaos('resume', 'node-2')
      const after = await mesh.untilState('node-2', 'alive')
      const [serial, boot] = before.incarnation.split('.').map(Number)
      expect(after.incarnation).toBe(`${serial}.${(boot ?? 0) + 1}.0`)
      const up = await mesh.untilEvent('its agent is up', (e) => e.kind === 'agent-up' && e.node === 'node-2', seq)
      const events = await since('node-2', seq)
      expect(events.find(({ kind }) => kind === 'agent-down')?.id).toBe(up.causedBy)
      expect(events.filter(({ kind }) => GRAVE.includes(kind))).toEqual([])
      expect(events.filter(({ kind }) => kind === 'joined').map(({ summary }) => summary)).toEqual([
        `agent heard, incarnation ${after.incarnation}`,
      ])
    },
    TEST_WITHIN_MS,
  )

  describeReal('with Chromium', needsChromium(), () => {
    const tile = (page: Page, node: string, state: string) =>
      page.locator(`[data-testid=member-${node}][data-state=${state}]`)
    const row = (page: Page, text: RegExp) => page.getByTestId('event').filter({ hasText: text }).first()

    it(
      'waits long before it holds a host for hung, and says how long',
      () =>
        withPage(mesh, async (page) => {
          const seq = await chaos('hang', 'node-4')
          const decidesInMs = await mesh.until('when it can be decided', async () => {
            const member = await mesh.member('node-4')
            return member.state === 'suspected' && member.decidesInMs
          })
          expect(decidesInMs).toBeGreaterThan(0)
          expect(decidesInMs).toBeLessThanOrEqual(25_000)
          await tile(page, 'node-4', 'suspected')
            .getByText(/^HostHung decidable in \d+\ss$/)
            .waitFor()

          const { verdictId } = await mesh.untilState('node-4', 'HostHung')
          const verdict = (await mesh.state()).verdicts.find(({ id }) => id === verdictId)
          expect(verdict).toMatchObject({ node: 'node-4', kind: 'HostHung', needed: 3 })
          for (const vote of verdict?.votes.filter(({ opinion }) => opinion === 'silent') ?? []) {
            expect(vote).toMatchObject({ kind: 'HostHung', channel: 'mute' })
            expect(vote.forMs).toBeGreaterThanOrEqual(25_000)
          }
          await tile(page, 'node-4', 'HostHung').waitFor()
          expect((await since('node-4', seq)).filter(({ kind }) => kind === 'verdict').map((e) => e.summary)).toEqual([
            expect.stringMatching(/^HostHung: /),
          ])

          await chaos('resume', 'node-4')
          await mesh.untilState('node-4', 'alive')
          await mesh.untilEvent('node-4 recovered', (e) => e.kind === 'recovered' && e.node === 'node-4', seq)
          await tile(page, 'node-4', 'alive').waitFor()
          await row(page, /recovered node-4/).waitFor()
        }),
      TEST_WITHIN_MS,
    )

    it(
      'shows a death and its votes on the page, while it happens',
      () =>
        withPage(mesh, async (page) => {
          await chaos('kill', 'node-5')
          await tile(page, 'node-5', 'NodeDown').waitFor()
          await row(page, /verdict node-5 NodeDown: \d of \d observers agree/).waitFor()
          const { verdictId } = await mesh.member('node-5')
          const shown = page.getByTestId(`verdict-${verdictId}`)
          await shown.getByText(/[34] for, 0 against/).waitFor()
          await chaos('resume', 'node-5')
          await tile(page, 'node-5', 'alive').waitFor()
        }),
      TEST_WITHIN_MS,
    )
  })

  it('says that there is no such node, and does nothing', async () => {
    const { code, stdout, stderr } = await mesh.run('chaos', 'kill', 'node-33/x y')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(`starling: there is no node node-33/x y; there is ${NODES.join(', ')}\n`)
  })

  it('never held anything against the nodes that were well', async () => {
    const events = await mesh.events()
    const seen = (kind: string) =>
      [...new Set(events.filter((e) => e.kind === kind).map(({ node }) => node))].toSorted()
    const dead = needsChromium() === undefined ? ['node-3', 'node-4', 'node-5'] : ['node-3']
    for (const kind of GRAVE) expect([kind, seen(kind)]).toEqual([kind, dead])
    expect(seen('agent-down')).toEqual(['node-2'])
    expect(events.filter(({ kind }) => kind === 'verdict').length).toBe(dead.length)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    for (const node of NODES) expect((await mesh.member(node)).state).toBe('alive')
  })
})
