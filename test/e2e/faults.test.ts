import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../aggregator/model.ts'
import { DEFAULT_TIMING } from '../../mesh/core/timing.ts'
import { needsChromium } from '../chromium.ts'
import { describeReal } from '../real-part.ts'
import { buildPage, withPage } from './browser.ts'
import { LocalMesh } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS, isRunning } from './starling.ts'

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
      await mesh.untilState('node-2', 'alive')
      const [serial, boot] = before.incarnation.split('.').map(Number)
      const incarnation = `${serial}.${(boot ?? 0) + 1}.0`
      // Its announcement goes up by the way of a roll-call, which may come later than its observers hear it.
      await mesh.until('its next life', async () => (await mesh.member('node-2')).incarnation === incarnation)
      const up = await mesh.untilEvent('its agent is up', (e) => e.kind === 'agent-up' && e.node === 'node-2', seq)
      const events = await since('node-2', seq)
      expect(events.find(({ kind }) => kind === 'agent-down')?.id).toBe(up.causedBy)
      expect(events.filter(({ kind }) => GRAVE.includes(kind))).toEqual([])
      expect(events.filter(({ kind }) => kind === 'joined').map(({ summary }) => summary)).toEqual([
        `agent heard, incarnation ${incarnation}`,
      ])
    },
    TEST_WITHIN_MS,
  )

  it(
    'hears from an agent that stops on purpose that it does, and of its return; nobody is alarmed',
    async () => {
      await mesh.untilCovered()
      const seq = (await mesh.events()).at(-1)?.seq ?? 0
      harmed.add('node-1')
      const pid = mesh.pidOf('node-1')
      process.kill(pid, 'SIGTERM')
      await mesh.untilState('node-1', 'left')
      const left = await mesh.untilEvent('its leave', (e) => e.kind === 'left' && e.node === 'node-1', seq)
      expect(left.summary).toBe('it stops on purpose: stopped')
      await mesh.until('its process has ended', () => !isRunning(pid))
      // Observers would hold it for AgentDown after 3 s. Its host is asked until then, and answers.
      await mesh.until('longer than that', async () => {
        const { since: at, state } = await mesh.member('node-1')
        expect(state).toBe('left')
        return Date.now() - Date.parse(at) > 2 * DEFAULT_TIMING.agentDownMs
      })
      expect((await mesh.run('members')).code).toBe(0)
      const kinds = (await since('node-1', seq)).map(({ kind }) => kind)
      expect(kinds).toEqual(['left'])

      await chaos('resume', 'node-1')
      await mesh.untilState('node-1', 'alive')
      const returned = await mesh.untilEvent('its return', (e) => e.kind === 'returned' && e.node === 'node-1', seq)
      expect([returned.summary, returned.causedBy]).toEqual(['it is back', left.id])
    },
    TEST_WITHIN_MS,
  )

  it(
    'shows who sees whom: nothing in dispute while all is well, and who misses a dead agent',
    async () => {
      await mesh.untilCovered()
      const well = await mesh.run('mesh', 'matrix')
      expect([well.code, well.stdout]).toEqual([0, 'No node is in dispute: no observer misses any of the 5 members.\n'])
      await chaos('kill-agent', 'node-1')
      await mesh.untilState('node-1', 'AgentDown')
      const { code, stdout } = await mesh.run('mesh', 'matrix')
      expect(code).toBe(3)
      expect(stdout).toMatch(/^node-1 +AgentDown +.*◐ /m)
      expect(stdout).not.toMatch(/^node-2 /m)
      await chaos('resume', 'node-1')
      await mesh.untilState('node-1', 'alive')
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
            expect(vote.forMs).toBeGreaterThanOrEqual(DEFAULT_TIMING.hostHungMs)
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
    expect(seen('agent-down')).toEqual(['node-1', 'node-2'])
    expect(seen('left')).toEqual(['node-1'])
    expect(events.filter(({ kind }) => kind === 'verdict').length).toBe(dead.length)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
    for (const node of NODES) expect((await mesh.member(node)).state).toBe('alive')
  })
})
