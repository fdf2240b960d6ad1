/** The hands of an agent that has no rights itself: the fixer of its node, over a socket. */
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../common/errors.ts'
import type { SignedStatement } from '../mesh/core/model.ts'
import { encodeValue } from '../mesh/wire/codec.ts'
import { StalePlan } from '../remediators/contract.ts'
import { type Hands, Unclear } from '../remediators/hands.ts'
import { connectTo, readFrame } from './connection.ts'
import { decodeAnswer, encodeRequest, FIXER_VERSION, type FixerAnswer, type FixerRequest } from './wire.ts'

export interface FixerHands extends Hands {
  /** Has to be told of each permit before it is applied by: the fixer believes nothing but what an aggregator signed. */
  keep(permitId: string, signed: SignedStatement): void
  /** What the fixer carries out. Rejects when there is none, or one of another version. */
  hello(): Promise<readonly string[]>
}

/** It has nothing to do for these but to answer. */
const ANSWER_WITHIN_MS = 5_000
/** The fixer gives up at the limit; its word of that is worth waiting for. */
const MARGIN_MS = 1_000
/** A service manager has a fixer back within a second or two. */
const AGAIN_MS = 500
/** There is one fix at a time; a few answers of the leader can come late. */
const PERMITS_MAX = 16

/** By the fixer that listens at `path`. */
export function fixerHands(path: string): FixerHands {
  const proofs = new Map<string, Uint8Array<ArrayBuffer>>()
  return {
    keep(permitId, signed) {
      const [oldest] = proofs.keys()
      if (proofs.size >= PERMITS_MAX && oldest !== undefined) proofs.delete(oldest)
      proofs.set(permitId, Uint8Array.from(encodeValue(signed)))
    },
    async hello() {
      const answer = await ask(path, { kind: 'hello', version: FIXER_VERSION }, ANSWER_WITHIN_MS)
      if (answer.kind !== 'hello') throw new Error(unexpected(answer))
      if (answer.version === FIXER_VERSION) return answer.remediators
      throw new Error(`the fixer speaks version ${answer.version}, and this agent ${FIXER_VERSION}`)
    },
    async challenge() {
      const answer = await ask(path, { kind: 'challenge' }, ANSWER_WITHIN_MS)
      if (answer.kind !== 'challenge') throw new Error(unexpected(answer))
      return answer.nonce
    },
    async apply(plan, permit, limitMs) {
      const proof = permit === null ? null : proofs.get(permit.id)
      if (proof === undefined) throw new StalePlan('the permit is not at hand as it was signed')
      const answer = await ask(path, { kind: 'apply', plan, permit: proof, limitMs }, limitMs + MARGIN_MS)
      if (answer.kind === 'refused') throw new StalePlan(`the fixer refused: ${answer.why}`)
      if (answer.kind === 'stale') throw new StalePlan(answer.why)
      if (answer.kind !== 'done') throw new Error(unexpected(answer))
    },
    async revert({ id: planId }, limitMs) {
      // As often as there is time for: what was put back is put back, and a fixer that was killed comes back.
      const byMs = performance.now() + limitMs
      for (;;) {
        const leftMs = byMs - performance.now()
        try {
          const answer = await ask(path, { kind: 'revert', planId, limitMs }, Math.max(leftMs, 0) + MARGIN_MS)
          if (answer.kind === 'done') return
          throw new Answered(unexpected(answer))
        } catch (error) {
          if (error instanceof Answered || leftMs <= AGAIN_MS) throw error
          await pause(AGAIN_MS)
        }
      }
    },
  }
}

/** The fixer's own word: to ask once more would not change it. */
class Answered extends Error {}

function unexpected(answer: FixerAnswer): string {
  return 'why' in answer ? `the fixer: ${answer.why}` : `the fixer answered ${answer.kind}`
}

/** Rejects with a StalePlan when nothing reached the fixer, and with Unclear when nobody knows what did. */
async function ask(path: string, request: FixerRequest, withinMs: number): Promise<FixerAnswer> {
  const frame = untouched(() => encodeRequest(request))
  const socket = await connectTo(path).catch((error: unknown) => {
    throw new StalePlan(`no fixer answers at ${path}: ${messageOf(error)}`)
  })
  try {
    const answer = readFrame(socket, withinMs)
    socket.write(frame)
    return decodeAnswer(await answer)
  } catch (error) {
    throw new Unclear(`the fixer gave no answer: ${messageOf(error)}`, { cause: error })
  } finally {
    socket.destroy()
  }
}

function untouched<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new StalePlan(messageOf(error))
  }
}
