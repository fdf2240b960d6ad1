/** The shipped code with one thing wrong with it, each in another way: what the checker must find. */
import { type Decided, type DecideInit, decide } from '../../aggregator/permits/decide.ts'
import type { NodeNow } from '../../aggregator/permits/outside.ts'
import { settle } from '../../aggregator/permits/settle.ts'
import { type FixInput, step } from '../../remediators/engine.ts'
import type { Rules } from '../../remediators/policy/rules.ts'
import type { Effect, Fix, FixState } from '../../remediators/state.ts'
import type { Invariant } from './invariants.ts'
import type { Shipped } from './shipped.ts'

type Step = typeof step

const everything = { percent: 100, nodes: 10_000 }
const LAX = { cluster: everything, zone: everything, pool: everything, reachNone: everything }

function deciding(change: (init: DecideInit) => Partial<DecideInit>): Partial<Shipped> {
  return { decide: (book, init) => decide(book, { ...init, ...change(init) }) }
}

function stepping(change: (taken: Parameters<Step>, shipped: Step) => ReturnType<Step>): Partial<Shipped> {
  return { step: (...taken) => change(taken, step) }
}

const raised = (rules: Rules): Rules => {
  return { ...rules, policies: rules.policies.map((policy) => ({ ...policy, mode: 'auto' })) }
}

const without = (kind: Effect['kind'], isIt: (effect: Effect) => boolean = () => true) =>
  stepping((taken, shipped) => {
    const { state, effects } = shipped(...taken)
    return { state, effects: effects.filter((effect) => effect.kind !== kind || !isIt(effect)) }
  })

/** By what is wrong, and what then breaks. `rare`: it takes dozens of days until it does. */
export const BROKEN: Readonly<
  Record<string, { readonly breaks: Invariant; readonly rare?: true; readonly parts: Partial<Shipped> }>
> = {
  'budgets are not asked': {
    breaks: 'budget',
    parts: deciding(({ settings }) => ({ settings: { ...settings, budgets: LAX } })),
  },
  'the record is written whoever wrote in between': {
    breaks: 'outstanding',
    rare: true,
    parts: { comparesAndSwaps: false },
  },
  'a frozen leader decides': {
    breaks: 'restrained',
    parts: deciding(({ mesh }) => ({ mesh: { ...mesh, restrained: undefined } })),
  },
  'cordons are not looked at': {
    breaks: 'owner',
    parts: deciding(({ outlook }) => ({ outlook: { ...outlook, nodes: new Map<string, NodeNow>() } })),
  },
  'nobody knows who is of the control plane': {
    breaks: 'plane',
    parts: deciding(({ mesh, settings }) => ({
      settings: { ...settings, budgets: LAX },
      mesh: {
        ...mesh,
        members: mesh.members.map((member) => ({ ...member, roles: [] })),
        findings: mesh.findings.filter(({ detector }) => detector !== 'etcd-health'),
      },
    })),
  },
  'pauses are forgotten': {
    breaks: 'paused',
    parts: { decide: (book, init) => decide({ ...book, pauses: [] }, init) },
  },
  'what is unknown counts as a fault': {
    breaks: 'unknown',
    parts: deciding(({ mesh, said }) => ({
      mesh: {
        ...mesh,
        findings: mesh.findings.map((one) => {
          const { reason = '', cause = '' } = said?.remediation.plan ?? {}
          return one.status === 'unknown' ? { ...one, status: 'alarm', reason, cause } : one
        }),
      },
    })),
  },
  'a plan is made of what is held': {
    breaks: 'unknown',
    parts: stepping(([rules, state, now, input], shipped) => shipped(rules, state, now, unheld(input))),
  },
  'of a refusal only what was against is kept': {
    breaks: 'recorded',
    parts: {
      decide: (book, init): Decided => {
        const decided = decide(book, init)
        const against = decided.verdicts.filter(({ allowed }) => !allowed)
        return decided.grant === undefined ? { ...decided, verdicts: against } : decided
      },
    },
  },
  'a permit is good for ever, and more than once': {
    breaks: 'permit',
    parts: stepping(([rules, state, now, input], shipped) => {
      const afresh = { ...state, usedPermits: [], fixes: state.fixes.map((fix) => askedJustNow(fix, now.ms, input)) }
      return shipped(rules, input.kind === 'permit' ? afresh : state, now, input)
    }),
  },
  'each node holds itself for cut off': {
    breaks: 'permit',
    parts: stepping(([rules, state, now, input], shipped) => {
      if (input.kind !== 'tick') return shipped(rules, state, now, input)
      const around = { ...input.around, isLed: false, neighbours: new Map<string, number>() }
      const patient = { ...state, fixes: state.fixes.map(longUnanswered) }
      return shipped(rules, patient, now, { kind: 'tick', around })
    }),
  },
  'nodes raise themselves, and nobody looks at their settings': {
    breaks: 'permit',
    parts: {
      ...stepping(([rules, ...taken], shipped) => shipped(raised(rules), ...taken)),
      ...deciding(({ settled }) => ({ settled: settled.map((one) => ({ ...one, rules: raised(one.rules) })) })),
    },
  },
  'nobody asks what neighbours have': {
    breaks: 'permit',
    parts: stepping(([rules, state, now, input], shipped) => {
      if (input.kind !== 'tick' || input.around.isLed) return shipped(rules, state, now, input)
      return shipped(rules, state, now, { kind: 'tick', around: { ...input.around, neighbours: new Map() } })
    }),
  },
  'what a crash interrupted is done again': {
    breaks: 'ambiguous',
    parts: stepping((taken, shipped) => {
      const [, before, now, { kind }] = taken
      const active = before.fixes.find(({ stage }) => stage.kind === 'applying')
      if (kind !== 'resume' || active === undefined) return shipped(...taken)
      const { plan } = active.remediation
      const beginning = { byMs: now.ms + 30_000, windows: [] }
      const again = { kind: 'apply', plan, permit: null, beginning, timeoutMs: active.timeoutMs } as const
      return { state: before, effects: [again] }
    }),
  },
  'two are carried out at once': {
    breaks: 'actor',
    parts: stepping((taken, shipped) => {
      const { state, effects } = shipped(...taken)
      return {
        state,
        effects: effects.flatMap((effect): readonly Effect[] =>
          effect.kind === 'apply' ? [effect, effect] : [effect],
        ),
      }
    }),
  },
  'windows are not kept': {
    breaks: 'window',
    parts: stepping(([rules, state, now, input], shipped) => {
      const policies = rules.policies.map((policy) => ({ ...policy, windows: [] }))
      return shipped({ ...rules, policies }, state, now, input)
    }),
  },
  'what was mended is forgotten': {
    breaks: 'contested',
    parts: stepping(([rules, state, ...rest], shipped) => shipped(rules, { ...state, mended: [] }, ...rest)),
  },
  'all looks are taken for good ones': {
    breaks: 'outcome',
    parts: stepping(([rules, state, now, input], shipped) => {
      if (input.kind !== 'verified') return shipped(rules, state, now, input)
      return shipped(rules, state, now, { ...input, findings: input.findings.map((one) => ({ ...one, status: 'ok' })) })
    }),
  },
  'nothing is put back': { breaks: 'outcome', parts: without('revert') },
  'outcomes are not said': {
    breaks: 'outstanding',
    parts: without('announce', (effect) => effect.kind === 'announce' && effect.remediation.ended === true),
  },
  'outcomes are not kept': {
    breaks: 'reported',
    parts: { settle: (book, init) => ({ ...settle(book, init), ended: [] }) },
  },
  'what ended is kept for ever': {
    breaks: 'bounded',
    parts: stepping((taken, shipped) => {
      const { state, effects } = shipped(...taken)
      return { state: pilingUp(state), effects }
    }),
  },
}

function unheld(input: FixInput): FixInput {
  if (input.kind !== 'report') return input
  return { ...input, findings: input.findings.map(({ held: _, ...finding }) => finding) }
}

function askedJustNow(fix: Fix, askedMs: number, input: FixInput): Fix {
  if (input.kind !== 'permit' || fix.remediation.plan.id !== input.permit.planId) return fix
  const { stage } = fix
  const { nonce } = input.permit
  if (stage.kind === 'asking') return { ...fix, stage: { ...stage, nonce, askedMs } }
  return stage.kind === 'waiting' ? { ...fix, stage: { kind: 'asking', waiting: stage, nonce, askedMs } } : fix
}

function longUnanswered(fix: Fix): Fix {
  return fix.stage.kind === 'waiting' ? { ...fix, stage: { ...fix.stage, unanswered: 3 } } : fix
}

function pilingUp(state: FixState): FixState {
  return { ...state, usedPermits: [...state.usedPermits, ...Array.from({ length: 20 }, () => 'permit')] }
}
