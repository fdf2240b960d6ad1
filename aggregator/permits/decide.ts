/** From a request and all that is known at the moment to a permit, or to what stands against it. Pure. */
import { evaluateGuards } from '../../remediators/guards/index.ts'
import type { GuardSettings } from '../../remediators/guards/settings.ts'
import type { Approval, GuardView } from '../../remediators/guards/view.ts'
import type { GuardVerdict } from '../../remediators/permits.ts'
import type { Book, Grant } from './book.ts'
import { type BudgetUse, budgetUse } from './budget-use.ts'
import { type Asked, checkRequest } from './checks.ts'
import { checkMode, type SettledRules } from './mode.ts'
import type { Outlook } from './outside.ts'
import type { Said } from './said.ts'
import { guardView, type MeshNow } from './view.ts'

export interface DecideInit {
  readonly asked: Asked
  /** The last that the node said of the plan. */
  readonly said: Said | undefined
  readonly approvals: readonly Approval[]
  readonly mesh: MeshNow
  readonly outlook: Outlook
  readonly settings: GuardSettings
  /** Of the node that asks, by the versions of the settings that it may be running. */
  readonly settled: readonly SettledRules[]
  readonly requests: GuardView['requests']
  /** Monotonic and wall clock, ms. */
  readonly nowMs: number
  readonly wallMs: number
  /** Of the permit, should there be one. */
  readonly permitId: string
}

export interface Decided {
  /** Of all that was asked, whatever they say. */
  readonly verdicts: readonly GuardVerdict[]
  /** Undefined when anything said no. */
  readonly grant: Grant | undefined
  /** As of now; undefined when nothing could be told. */
  readonly use: BudgetUse | undefined
}

export function decide(book: Book, init: DecideInit): Decided {
  const { asked, said, mesh, settings, settled, wallMs, permitId } = init
  const { request, position } = asked
  const { node, planId, planHash, evidenceHash, nonce } = request
  const check = checkRequest({ asked, said, book, standing: mesh.standing.get(node)?.kind })
  const plan = said?.remediation.plan
  if (plan === undefined) return { verdicts: [check], grant: undefined, use: undefined }
  const view = guardView({ ...init, request, plan, book })
  const verdicts = [check, checkMode(request, plan, settled), ...evaluateGuards(view, settings)]
  const use = view.stale === undefined ? budgetUse(view, settings) : undefined
  if (verdicts.some(({ allowed }) => !allowed)) return { verdicts, grant: undefined, use }
  const { remediator, reason, reach } = plan
  const pool = mesh.members.find((member) => member.node === node)?.pool
  const at = new Date(wallMs).toISOString()
  return {
    verdicts,
    use,
    grant: {
      permit: { id: permitId, node, planId, planHash, evidenceHash, nonce, at },
      asked: position,
      ...(pool === undefined ? {} : { pool }),
      plan: { remediator, reason, reach },
    },
  }
}
