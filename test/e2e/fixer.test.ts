/** The fixer as the process that it is, killed with SIGKILL wherever a fix can be, while the agent's engine waits for it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Finding } from '../../detectors/contract.ts'
import { createHost } from '../../detectors/host/host.ts'
import { fixerHands } from '../../fixer/hands.ts'
import type { Remediation, Remediator } from '../../remediators/contract.ts'
import { type RemediationRoom, startRemediation } from '../../remediators/run.ts'
import { FixerStage, HERE } from '../remediators/fixer/stage.ts'
import { differs, ok, permitFor, policyFor, TRAITS } from '../remediators/parts.ts'
import { cleanEnvironment, DEADLINE_MS, MAIN, waitFor } from './starling.ts'
import { twoFiles } from './two-files.ts'

const FIRST = '/etc/first'
const SECOND = '/etc/second'

describe('a fixer that is killed', () => {
  let stage: FixerStage
  let fixer: ChildProcess
  let room: RemediationRoom | undefined

  beforeEach(async () => {
    stage = await FixerStage.found()
    for (const path of [FIRST, SECOND]) writeFileSync(onHost(path), 'old')
    mkdirSync(join(stage.folder, 'plugins'), { mode: 0o755 })
    const plugin = readFileSync(join(import.meta.dirname, 'two-files.ts'), 'utf8')
    const published = plugin.replace('../../remediators/authors.ts', 'starling/remediator')
    writeFileSync(join(stage.folder, 'plugins/two-files.ts'), published)
    writeFileSync(join(stage.folder, 'fixer.yaml'), stringify(stage.config({ remediators: ['two-files'] })))
    await startFixer()
  })
  afterEach(async () => {
    await room?.stop()
    await kill()
    await stage.tearDown()
  })

  const onHost = (path: string) => join(stage.root, path)
  const read = (path: string) => readFileSync(onHost(path), 'utf8')
  const finding = (): Finding =>
    read(FIRST) === 'new' && read(SECOND) === 'new'
      ? { ...ok, node: HERE, detector: 'files' }
      : differs('', '', '', { node: HERE, detector: 'files', reason: 'TwoFilesOld', cause: FIRST })

  async function startFixer(): Promise<void> {
    fixer = spawn(process.execPath, [MAIN, 'fixer', '--config', join(stage.folder, 'fixer.yaml')], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await waitFor('the fixer', () => fixerHands(stage.socket).hello())
  }

  async function kill(): Promise<void> {
    if (fixer.exitCode !== null || fixer.signalCode !== null) return
    const gone = once(fixer, 'exit')
    fixer.kill('SIGKILL')
    await gone
  }

  /** An agent's engine with a leader that permits everything, after `onAsk`. */
  async function startAgent(onAsk = async () => {}): Promise<readonly Remediation[]> {
    const said: Remediation[] = []
    const hands = fixerHands(stage.socket)
    let permits = 0
    room = await startRemediation({
      node: HERE,
      stateDir: join(stage.folder, 'agent-state'),
      host: createHost({ node: HERE, root: stage.root, peerOffsets: () => [] }),
      root: '/nowhere',
      remediators: [twoFiles as Remediator],
      settings: {
        traits: { ...TRAITS, node: HERE },
        remediators: {},
        policies: [
          policyFor({ match: [{ reason: 'TwoFilesOld' }], ladder: [{ remediator: 'two-files', attempts: 1 }] }),
        ],
      },
      verify: async () => [finding()],
      announce: (remediation) => said.push(remediation),
      ask: async ({ planId, nonce }) => {
        await onAsk()
        const plan = room?.list().find((one) => one.plan.id === planId)?.plan
        if (plan === undefined) return
        const permit = permitFor(plan, { id: `permit-${++permits}`, nonce })
        hands.keep(permit.id, stage.sign(permit))
        void room?.onPermit(permit)
      },
      around: () => ({ isLed: true, neighbours: undefined }),
      hands,
    })
    await room.onReport({ detector: 'files', findings: [finding()] })
    return said
  }

  const phasesOf = (said: readonly Remediation[]) => said.map(({ phase }) => phase)
  const inPhase = (said: readonly Remediation[], phase: string) =>
    waitFor(`phase ${phase}`, () => phasesOf(said).includes(phase as Remediation['phase']))

  it(
    'not at all: the fix goes through, by a process that the agent is no part of',
    async () => {
      writeFileSync(onHost('/etc/hold'), 'nowhere')
      const said = await startAgent()
      await inPhase(said, 'verified')
      expect([read(FIRST), read(SECOND)]).toEqual(['new', 'new'])
    },
    DEADLINE_MS,
  )

  it.each([
    ['after it has recorded the plan and before it has changed anything', 'nothing', ['old', 'old']],
    ['half way', FIRST, ['new', 'old']],
  ])(
    '%s: all is put back by the next one',
    async (_, point, left) => {
      writeFileSync(onHost('/etc/hold'), point)
      const said = await startAgent()
      await waitFor(`the fix at ${point}`, () => existsSync(onHost('/etc/reached')))
      await kill()
      expect([read(FIRST), read(SECOND)]).toEqual(left)
      await inPhase(said, 'no-effect')
      await startFixer()
      await inPhase(said, 'reverted')
      expect([read(FIRST), read(SECOND)]).toEqual(['old', 'old'])
      expect(phasesOf(said)).toEqual(['proposed', 'permitted', 'applying', 'verifying', 'no-effect', 'reverted'])
    },
    DEADLINE_MS,
  )

  it(
    'after all was changed, before it could answer: the fault is gone, and nothing is put back',
    async () => {
      writeFileSync(onHost('/etc/hold'), SECOND)
      const said = await startAgent()
      await waitFor('the end of the fix', () => existsSync(onHost('/etc/reached')))
      await kill()
      await inPhase(said, 'verified')
      expect([read(FIRST), read(SECOND)]).toEqual(['new', 'new'])
      expect(phasesOf(said)).toEqual(['proposed', 'permitted', 'applying', 'verifying', 'verified'])
    },
    DEADLINE_MS,
  )

  it(
    'after it gave the nonce and before it was asked for more: nothing was changed, and nothing is put back',
    async () => {
      writeFileSync(onHost('/etc/hold'), 'nowhere')
      const said = await startAgent(kill)
      await inPhase(said, 'refused')
      expect(said.at(-1)?.why).toContain('nothing was changed: no fixer answers')
      expect([read(FIRST), read(SECOND)]).toEqual(['old', 'old'])
    },
    DEADLINE_MS,
  )
})
