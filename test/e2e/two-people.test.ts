/** A dangerous fix by two people, with the real program: a plugin's remediator, and an aggregator that is killed in between. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Decision } from '../../remediators/permits.ts'
import { describeReal, needsNetworkNamespace } from '../real-part.ts'
import { LocalMesh, newFolder } from './local-mesh.ts'
import { TURN_WITHIN_MS } from './machine-turn.ts'
import { DEADLINE_MS, starling } from './starling.ts'

/** One node alone has the fan: what all have is no fault of theirs. */
const SETTINGS = `
version: 1
mesh: local
detectors: {}
remediators: {start-fan: {mode: approve}}
guards: {coolDown: 0s}
overrides: [{selector: {nodes: [node-2]}, detectors: {fan: {enabled: false}}}]
`

describeReal('a dangerous fix', needsNetworkNamespace(), () => {
  let dir: string
  let fan: string
  let mesh: LocalMesh
  let tokens: { readonly ada: string; readonly grace: string }
  beforeAll(async () => {
    dir = newFolder()
    fan = join(dir, 'fan')
    const turning = join(dir, 'turning')
    writeFileSync(fan, 'stopped\n')
    writeFileSync(turning, 'turning\n')
    writeFileSync(join(dir, 'settings.yaml'), SETTINGS)
    mkdirSync(join(dir, 'plugins.d'))
    writeFileSync(
      join(dir, 'plugins.d', 'fan.yaml'),
      `name: fan
version: 1.0.0
summary: Whether the fan turns.
dialect: npd
command: [/usr/bin/grep, -qx, turning, ${fan}]
every: 1s
timeout: 1s
user: agent
states: { problem: FanStopped }
reasons:
  FanStopped: { severity: alarm, summary: The fan stands still., runbook: Have it replaced. }
`,
    )
    writeFileSync(
      join(dir, 'plugins.d', 'start-fan.yaml'),
      `kind: remediator
name: start-fan
version: 1.0.0
summary: Starts a fan that stands still.
handles: [FanStopped]
reach: none
risk: dangerous
reversible: true
state: { command: [/usr/bin/cat, ${fan}], wanted: turning }
apply: [/usr/bin/cp, ${turning}, ${fan}]
revert: [/usr/bin/cp, ${fan}, ${fan}.old]
timeout: 10s
user: agent
`,
    )
    const tokenOf = async (name: string) => {
      const added = await starling(['people', 'add', name, '--file', join(dir, 'people.yaml')])
      return added.stdout.trim()
    }
    tokens = { ada: await tokenOf('ada'), grace: await tokenOf('grace') }
    mesh = await LocalMesh.up({ nodes: 2, ownNetwork: true, dir })
  }, TURN_WITHIN_MS)
  afterAll(async () => {
    await mesh.stop()
    rmSync(dir, { recursive: true })
  }, TURN_WITHIN_MS)

  it(
    'waits for the second of two people, also when the aggregator was killed between them, and names both',
    async () => {
      const plan = await mesh.until('the plan of node-1 waits', async () => {
        const { remediations } = await mesh.state()
        return remediations.find(({ phase }) => phase === 'awaiting-approval')?.plan
      })
      expect(plan).toMatchObject({ node: 'node-1', remediator: 'start-fan', risk: 'dangerous' })
      const approve = (...token: readonly string[]) => mesh.run('remediations', 'approve', plan.id, ...token)
      const { stdout } = await approve('--token', tokens.ada)
      expect(stdout).toMatch(/^approved by ada \(cli\), 1 of 2, until 20\d\d-/)

      process.kill(mesh.pidOf('aggregator-1'), 'SIGKILL')
      await mesh.until('the aggregator is back and shows who was first', async () => {
        const { approvals } = (await mesh.state()).permits
        return approvals[0]?.by === 'ada'
      })
      const again = await approve('--token', tokens.ada)
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('you have approved')])
      const shared = await approve()
      expect([shared.code, shared.stderr]).toEqual([1, expect.stringContaining('people who are known by name')])
      expect((await mesh.run('remediations', 'show', plan.id)).stdout).toContain('1 of 2 approved it, ada')
      expect(readFileSync(fan, 'utf8')).toBe('stopped\n')
      expect(await approve('--token', tokens.grace)).toMatchObject({ code: 0, stdout: 'approved by grace (cli)\n' })
      await mesh.until('the fan turns', async () => {
        const { remediations } = await mesh.state()
        return remediations.some(({ plan: { id }, phase }) => id === plan.id && phase === 'verified')
      })
      expect(readFileSync(fan, 'utf8')).toBe('turning\n')
      const events = await mesh.events()
      const decisions = events.flatMap(({ data }) => (data.decision as Decision | undefined) ?? [])
      expect(decisions.map(({ by, action }) => [by, action])).toEqual([
        ['ada', 'approve'],
        ['grace', 'approve'],
      ])
      const permitted = events.find(({ kind }) => kind === 'permit')
      expect(permitted?.data.verdicts).toContainEqual({
        guard: 'approval',
        allowed: true,
        why: 'approved by grace, by 2 people in all',
      })
      expect((await mesh.run('people', 'remove', 'ada')).code).toBe(0)
      const list = ['remediations', 'list', '--token', tokens.ada]
      await mesh.until('ada is known no more', async () => (await mesh.run(...list)).stderr.includes('STARLING_TOKEN'))
    },
    4 * DEADLINE_MS,
  )
})
