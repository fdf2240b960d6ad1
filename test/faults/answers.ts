/** The other end of inside.ts: answers its questions on stdin, a line of JSON each, until stdin ends. */
import { execFile } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { durationMs } from '../../common/duration.ts'
import { messageOf } from '../../common/errors.ts'
import type { Finding, Host, Judgement, PeerOffset } from '../../detectors/contract.ts'
import { systemClock } from '../../detectors/engine/clock.ts'
import { probe } from '../../detectors/engine/probe.ts'
import type { RunResult } from '../../detectors/engine/track.ts'
import { guardedHost } from '../../detectors/host/guarded.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import type { Plan, Remediator } from '../../remediators/contract.ts'
import { createControl } from '../../remediators/control.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import { makePlan } from '../../remediators/plan.ts'

export type Question =
  | { readonly look: string; readonly options: unknown; readonly peers: readonly PeerOffset[] }
  | { readonly run: readonly string[] }
  /** What this remediator would do about the first fault that the last look of this detector found. */
  | { readonly plan: string; readonly detector: string; readonly options: unknown }
  | { readonly apply: Plan }
  | { readonly revert: Plan }
export interface Answer {
  readonly result?: RunResult
  readonly said?: string
  readonly plan?: Plan
  readonly failed?: string
}

/** As many samples as the engine keeps. */
const PAST_MAX = 10

/** Answers from this host, and runs commands here by `run`, until there are no more questions. */
export async function answerQuestions(
  hostWith: (peers: () => readonly PeerOffset[]) => Host,
  run = runHere,
): Promise<void> {
  let peers: readonly PeerOffset[] = []
  const host = hostWith(() => peers)
  /** One for each detector and for good, as in the engine. */
  const guarded = new Map(builtinDetectors.map(({ name, touches }) => [name, guardedHost(host, touches)]))
  const past = new Map<string, readonly unknown[]>()
  const judged = new Map<string, readonly Judgement[]>()

  const look = async (name: string, options: unknown): Promise<RunResult> => {
    const detector = builtinDetectors.find((one) => one.name === name)
    if (detector === undefined) throw new Error(`there is no detector ${name}`)
    const before = past.get(name) ?? []
    const { result, sample } = await probe({
      detector,
      host: guarded.get(name) ?? host,
      options: detector.options.parse(options),
      past: before,
      timeoutMs: durationMs(detector.timeout),
      clock: systemClock,
      abort: new AbortController(),
    })
    if (result.kind === 'judged') {
      past.set(name, [sample, ...before].slice(0, PAST_MAX))
      judged.set(name, result.judgements)
    }
    return result
  }

  const plan = async (name: string, detector: string, given: unknown): Promise<Plan> => {
    const remediator = remediatorOf(name)
    const judgement = judged.get(detector)?.find(({ reason }) => remediator.handles.includes(reason))
    if (judgement === undefined) throw new Error(`${detector} found nothing that ${name} handles`)
    const finding = findingOf(host.node, detector, judgement)
    const options = remediator.options.parse(given)
    const seen = await remediator.inspect?.(guardedHost(host, remediator.touches), finding, options, never)
    const changes = remediator.plan(finding, options, seen)
    if (changes === null) throw new Error(`${name} can do nothing about ${judgement.summary}`)
    return makePlan(remediator, finding, changes, finding.observedAt)
  }

  const carryOut = async (deed: 'apply' | 'revert', decided: Plan): Promise<string> => {
    const remediator = remediatorOf(decided.remediator)
    await remediator[deed](decided, createControl({ host, root: '/', touches: remediator.touches }), never)
    return deed
  }

  const answer = async (question: Question): Promise<Answer> => {
    try {
      if ('run' in question) return { said: await run(question.run) }
      if ('plan' in question) return { plan: await plan(question.plan, question.detector, question.options) }
      if ('apply' in question) return { said: await carryOut('apply', question.apply) }
      if ('revert' in question) return { said: await carryOut('revert', question.revert) }
      peers = question.peers
      return { result: await look(question.look, question.options) }
    } catch (error) {
      return { failed: messageOf(error) }
    }
  }

  for await (const line of createInterface(process.stdin)) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`)
  }
  // A look that hangs must not keep it.
  process.exit()
}

const never = new AbortController().signal

function remediatorOf(name: string): Remediator {
  const remediator = builtinRemediators.find((one) => one.name === name)
  if (remediator === undefined) throw new Error(`there is no remediator ${name}`)
  return remediator
}

function findingOf(node: string, detector: string, { reason, cause = '', summary, evidence }: Judgement): Finding {
  const at = new Date().toISOString()
  const id = `${node}/${detector}/${reason}/${cause}#${at}`
  return {
    id,
    node,
    detector,
    reason,
    cause,
    status: 'alarm',
    summary,
    evidence,
    since: at,
    observedAt: at,
    ttlMs: 60_000,
  }
}

export async function runHere([command = '', ...args]: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { timeout: 30_000 })
  return stdout
}
