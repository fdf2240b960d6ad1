/** What must hold of a request before guards are asked about the fix: that it is for a plan that is open. Pure. */
import type { GuardVerdict, PermitRequest } from '../../remediators/permits.ts'
import type { Book } from './book.ts'
import { mayAsk } from './phases.ts'
import { isAfter, type Position } from './position.ts'
import type { Said } from './said.ts'

const REST_MS = 60_000

export interface Asked {
  readonly request: PermitRequest
  readonly position: Position
}

export interface CheckInit {
  readonly asked: Asked
  /** The last that the node said of the plan. */
  readonly said: Said | undefined
  readonly book: Book
  /** The kind of the verdict of the mesh that stands against the node. */
  readonly standing: string | undefined
}

export function checkRequest(init: CheckInit): GuardVerdict {
  const objection = whyNot(init)
  const guard = 'request'
  if (objection !== undefined) return { guard, allowed: false, why: objection, restMs: REST_MS }
  return { guard, allowed: true, why: 'its node has begun nothing of it, and asks for it now' }
}

function whyNot({ asked: { request, position }, said, book, standing }: CheckInit): string | undefined {
  // Words of a node overtake one another: what is not known yet may be a moment later.
  if (said === undefined) return `no plan ${request.planId} is known to the leader`
  if (!mayAsk(said.remediation)) return `its node said that it is ${said.remediation.phase}`
  // The verdict that ended an earlier permit must not be taken for one that ends this.
  if (standing !== undefined) return `the mesh holds its node for ${standing}`
  const grant = book.grants.find(({ permit }) => permit.planId === request.planId)
  // To ask again is to say that nothing was begun by an earlier answer, nor will be.
  if (grant === undefined || isAfter(position, grant.asked)) return undefined
  return `permit ${grant.permit.id} for it is outstanding, and was asked for later than this`
}
