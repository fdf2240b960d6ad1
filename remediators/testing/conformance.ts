/**
 * What every remediator must do, whatever it changes: each that ships with Starling passes these checks. Needs no test
 * framework: a check is a name and a function that throws.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { messageOf } from '../../common/errors.ts'
import type { Finding } from '../../detectors/contract.ts'
import { globMatcher, guardedHost } from '../../detectors/host/guarded.ts'
import type { Check } from '../../detectors/testing/conformance.ts'
import { holds } from '../../detectors/testing/holds.ts'
import { anyText, garbageHost } from '../../detectors/testing/noise.ts'
import type { Change, Control, Plan, Remediator } from '../contract.ts'
import { makePlan } from '../plan.ts'
import { type ScratchHost, type StandIn, scratchHost } from './scratch-host.ts'

/** A fault that the remediator is to mend, on a host that is recorded with it. */
export interface Case {
  readonly name: string
  /** The folder of the recorded host. */
  readonly host: string
  /** What is left out of it is made up. */
  readonly finding: Partial<Finding> & Pick<Finding, 'reason' | 'cause' | 'evidence'>
  readonly options?: unknown
  readonly programs?: Readonly<Record<string, StandIn>>
  /** Changes the host so that a before-value of the plan is neither that nor its after-value. */
  disturb(scratch: ScratchHost, plan: Plan): Promise<void>
}

export interface ConformanceOptions {
  /** Of what is made up at random; the same seed, the same checks. */
  readonly seed?: number
}

/** Of schema.ts: what others take in. */
const CHANGES_MAX = 64
const TEXT_LENGTH_MAX = 1_000

const never = new AbortController().signal
const AT = '2026-01-01T00:00:00.000Z'
const SOME_USE = { bytes: 0, bytesUsed: 0, bytesAvailable: 0, inodes: 0, inodesFree: 0 }

export function remediatorConformance(
  remediator: Remediator,
  cases: readonly Case[],
  { seed }: ConformanceOptions = {},
): readonly Check[] {
  if (cases.length === 0) {
    return [{ name: 'has a case', run: async () => assert.fail(`there is no recorded fault for ${remediator.name}`) }]
  }
  return [...ofItself(remediator), ...cases.flatMap((one) => ofCase(remediator, whole(one), seed))]
}

function ofItself(remediator: Remediator): readonly Check[] {
  return [
    {
      name: 'has names and sentences as people will type and read them',
      run: async () => {
        assert.match(remediator.name, /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)
        assert.match(remediator.summary, /^[A-Z].*\.$/s, 'a summary is a sentence: a capital first, a full stop last')
        assert.ok(remediator.handles.length > 0, 'it handles no reason')
        for (const reason of remediator.handles) assert.match(reason, /^([A-Z][a-z0-9]*)+$/)
      },
    },
    {
      name: 'refuses an option that it does not have, and needs none',
      run: async () => {
        assert.equal(remediator.options.safeParse({ noSuchOption: 1 }).success, false, 'use z.strictObject')
        remediator.options.parse({})
      },
    },
  ]
}

/** With a finding that is whole. */
type WholeCase = Case & { readonly finding: Finding }

function whole(one: Case): WholeCase {
  const { reason } = one.finding
  const times = { since: AT, observedAt: AT, ttlMs: 60_000 }
  const finding = {
    id: reason,
    node: 'node-7',
    detector: 'made-up',
    status: 'alarm',
    summary: reason,
    ...times,
  } as const
  return { ...one, finding: { ...finding, ...one.finding } }
}

function ofCase(remediator: Remediator, one: WholeCase, seed: number | undefined): readonly Check[] {
  const options = remediator.options.parse(one.options ?? {})
  const { touches, reversible } = remediator
  const on = (use: (scratch: ScratchHost, plan: Plan) => Promise<void>) => async () => {
    const scratch = await scratchHost(one.host, one.programs)
    try {
      await use(scratch, await planOn(scratch))
    } finally {
      await scratch.remove()
    }
  }
  const see = async (scratch: ScratchHost, signal = never) =>
    remediator.inspect?.(guardedHost(scratch.host, touches), one.finding, options, signal)
  const planOn = async (scratch: ScratchHost): Promise<Plan> => {
    const changes = remediator.plan(one.finding, options, await see(scratch))
    assert.ok(changes !== null && changes.length > 0, 'it plans nothing for the fault that is recorded')
    return makePlan(remediator, one.finding, changes, AT)
  }
  const check = (name: string, run: () => Promise<void>): Check => ({ name: `${one.name}: ${name}`, run })

  return [
    check(
      'plans by what it is given and nothing else, and leaves that and the host alone',
      on(async (scratch, plan) => {
        const before = await scratch.snapshot()
        const [finding, seen] = [deepFreeze(structuredClone(one.finding)), deepFreeze(await see(scratch))]
        const first = remediator.plan(finding, deepFreeze(remediator.options.parse(one.options ?? {})), seen)
        assert.deepEqual(remediator.plan(structuredClone(finding), options, structuredClone(seen)), first)
        assert.deepEqual(first, plan.changes)
        assert.deepEqual(await scratch.snapshot(), before, 'looking and planning changed the host')
        assertChanges(plan.changes)
      }),
    ),
    check(
      'applies once, only what it says that it writes',
      on(async (scratch, plan) => {
        const before = await scratch.snapshot()
        const { control, writes } = counted(scratch.control(touches))
        await remediator.apply(plan, control, never)
        const after = await scratch.snapshot()
        assert.notDeepEqual(after, before, 'applying changed nothing')
        const mayWrite = globMatcher(touches.writes ?? [])
        // What a program does is its own; it is named among the commands.
        if (one.programs === undefined) {
          for (const path of differing(before, after)) assert.ok(mayWrite(path), `${path} is not among its writes`)
        }
        const written = writes.length
        await remediator.apply(plan, control, never)
        assert.deepEqual(await scratch.snapshot(), after, 'applying again changed something')
        assert.deepEqual(writes.slice(written), [], 'applying again wrote something')
      }),
    ),
    check(
      'changes nothing when a before-value differs',
      on(async (scratch, plan) => {
        await one.disturb(scratch, plan)
        const disturbed = await scratch.snapshot()
        const error = await failureOf(remediator.apply(plan, scratch.control(touches), never))
        assert.equal(
          error instanceof Error && error.name,
          'StalePlan',
          `it should throw StalePlan, not ${String(error)}`,
        )
        assert.deepEqual(await scratch.snapshot(), disturbed)
      }),
    ),
    check(
      'does not begin when it has been told to stop',
      on(async (scratch, plan) => {
        const before = await scratch.snapshot()
        const stopped = new Error('stopped')
        const signal = AbortSignal.abort(stopped)
        const control = scratch.control(touches)
        assert.equal(await failureOf(remediator.apply(plan, control, signal)), stopped, 'apply goes on')
        if (remediator.inspect !== undefined)
          assert.equal(await failureOf(see(scratch, signal)), stopped, 'inspect goes on')
        if (reversible)
          assert.equal(await failureOf(remediator.revert(plan, control, signal)), stopped, 'revert goes on')
        assert.deepEqual(await scratch.snapshot(), before)
      }),
    ),
    ...(reversible ? [check('puts back everything, byte for byte, also half way', on(revertsAll))] : []),
    check('plans nothing, or something that can be sent, of any finding', () => bearsAnyFinding(remediator, one, seed)),
  ]

  async function revertsAll(scratch: ScratchHost, plan: Plan): Promise<void> {
    const before = await scratch.snapshot()
    const control = scratch.control(touches)
    await remediator.revert(plan, control, never)
    assert.deepEqual(await scratch.snapshot(), before, 'putting back what was not changed changed something')
    for (let fails = 1; ; fails++) {
      const { control: failing, writes } = counted(control, fails)
      const error = await failureOf(remediator.apply(plan, failing, never))
      await remediator.revert(plan, control, never)
      assert.deepEqual(await scratch.snapshot(), before, `not all is back after ${writes.join(', ')}`)
      if (error === undefined) return
    }
  }
}

/** `control`, and what is written through it; of all writes and programs that of number `fails` does not happen. */
function counted(
  control: Control,
  fails = Infinity,
): { readonly control: Control; readonly writes: readonly string[] } {
  const writes: string[] = []
  let acts = 0
  const act = (what: string) => {
    acts += 1
    if (acts === fails) throw new Error(`${what}: EIO`)
  }
  const write = (path: string) => {
    writes.push(path)
    act(path)
  }
  const { host } = control
  return {
    writes,
    control: {
      host: {
        ...host,
        run: async (command, options) => {
          act(command.join(' '))
          return host.run(command, options)
        },
      },
      writeText: async (path, text) => {
        write(path)
        await control.writeText(path, text)
      },
      replaceFile: async (path, text) => {
        write(path)
        await control.replaceFile(path, text)
      },
      truncate: async (path) => {
        write(path)
        await control.truncate(path)
      },
    },
  }
}

/** Findings come from any detector of that reason, also a plugin's, and hosts answer anything. */
async function bearsAnyFinding(remediator: Remediator, one: WholeCase, seed: number | undefined): Promise<void> {
  const options = remediator.options.parse(one.options ?? {})
  const scratch = await scratchHost(one.host, one.programs)
  try {
    const seen = await remediator.inspect?.(guardedHost(scratch.host, remediator.touches), one.finding, options, never)
    const value = fc.oneof(anyText, fc.double(), fc.constantFrom(0, -1, Infinity, Number.NaN))
    const anyMeasure = fc.record({
      name: fc.oneof(anyText, fc.constantFrom(...one.finding.evidence.map(({ name }) => name), '__proto__')),
      value,
      limit: value,
      unit: fc.constant(''),
    })
    const anyFinding = fc.record({
      reason: fc.constantFrom(...remediator.handles),
      cause: fc.oneof(anyText, fc.constant(one.finding.cause)),
      evidence: fc.array(anyMeasure, { maxLength: 4 }),
    })
    const property = fc.asyncProperty(anyFinding, anyText, async (parts, text) => {
      const finding = { ...one.finding, ...parts }
      const changes = remediator.plan(finding, options, seen)
      if (changes !== null) assertChanges(changes)
      const error = await failureOf(
        Promise.resolve(remediator.inspect?.(garbageHost(text, SOME_USE, []), finding, options, never)),
      )
      assert.ok(!(error instanceof TypeError), messageOf(error))
    })
    await holds(property, seed === undefined ? {} : { seed })
  } finally {
    await scratch.remove()
  }
}

function assertChanges(changes: readonly Change[]): void {
  assert.ok(changes.length <= CHANGES_MAX, `${changes.length} changes, more than ${CHANGES_MAX}`)
  for (const { what, before, after, undo } of changes) {
    assert.ok(what !== '' && undo !== '', 'a change without a name, or without a way back')
    assert.notEqual(after, before, `${what} becomes what it is`)
    for (const text of [what, before, after, undo]) {
      assert.ok(text.length <= TEXT_LENGTH_MAX, `a text of ${text.length} characters, more than ${TEXT_LENGTH_MAX}`)
    }
  }
}

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
