/** The API's lists of what is so at present, page by page: findings, verdicts, remediations. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { PHASES } from '../../remediators/contract.ts'
import type { AggregatorPort } from '../model.ts'
import { finding, pageOf, STATUSES, verdict } from './answers.ts'
import { keyCursor, listCursor } from './cursor.ts'
import { listOf, nodeName } from './inputs.ts'
import { describeRoute, limitOf, route } from './route.ts'
import { remediation } from './state-answers.ts'

const LEADS = { 503: 'this aggregator does not lead' }
const name = z.string().min(1).max(63)

const paged = {
  cursor: listCursor.meta({ description: '`next` of the page before, with the same filters' }).optional(),
  node: nodeName.optional(),
  limit: limitOf(1_000, 200),
}

const FINDINGS = describeRoute({
  method: 'GET',
  path: '/api/v1/findings',
  summary: 'What nodes say of themselves now, by node and detector',
  query: z.strictObject({
    ...paged,
    status: listOf(z.enum(STATUSES)).optional(),
    detector: listOf(name).optional(),
    reason: listOf(name).optional(),
  }),
  answer: pageOf(finding),
  errors: LEADS,
  example: { query: 'status=alarm,error&limit=50' },
})

const VERDICTS = describeRoute({
  method: 'GET',
  path: '/api/v1/verdicts',
  summary: 'Verdicts of the mesh, the newest first',
  query: z.strictObject({ ...paged, standing: z.enum(['true', 'false']).optional() }),
  answer: pageOf(verdict),
  errors: LEADS,
  example: { query: 'standing=true' },
})

const REMEDIATIONS = describeRoute({
  method: 'GET',
  path: '/api/v1/remediations',
  summary: 'Plans and what became of them, by node',
  query: z.strictObject({ ...paged, phase: listOf(z.enum(PHASES)).optional() }),
  answer: pageOf(remediation),
  errors: LEADS,
  example: { query: 'phase=awaiting-approval' },
})

export const LIST_ROUTES = [FINDINGS, VERDICTS, REMEDIATIONS]

export function registerListRoutes(server: FastifyInstance, port: AggregatorPort): void {
  route(server, FINDINGS, ({ query: { node, status, detector, reason, ...page } }) => {
    const found = port.snapshot().findings.filter((each) => {
      return (
        fits(node && [node], each.node) &&
        fits(status, each.status) &&
        fits(detector, each.detector) &&
        fits(reason, each.reason)
      )
    })
    return pageFrom(found, (each) => [each.node, each.detector, each.id], page)
  })

  route(server, VERDICTS, ({ query: { node, standing, ...page } }) => {
    const found = port.snapshot().verdicts.filter((each) => {
      return fits(node && [node], each.node) && fits(standing && [standing], String(each.endedAt === undefined))
    })
    return pageFrom(found, (each) => [each.at, each.id], page, -1)
  })

  route(server, REMEDIATIONS, ({ query: { node, phase, ...page } }) => {
    const found = port.snapshot().remediations.filter((each) => {
      return fits(node && [node], each.plan.node) && fits(phase, each.phase)
    })
    return pageFrom(found, ({ plan }) => [plan.node, plan.createdAt, plan.id], page)
  })
}

function fits<T extends string>(wanted: readonly T[] | '' | undefined, value: T): boolean {
  return wanted === undefined || wanted === '' || wanted.includes(value)
}

/** What follows the cursor's key in the order of keys: an item that came or went meanwhile moves no other. */
function pageFrom<T>(
  items: readonly T[],
  keyOf: (item: T) => readonly string[],
  { cursor, limit }: { readonly cursor?: readonly string[] | undefined; readonly limit: number },
  order: 1 | -1 = 1,
): { items: readonly T[]; next: string | null } {
  const keyed = items.map((item) => ({ item, key: keyOf(item) }))
  const left = cursor === undefined ? keyed : keyed.filter(({ key }) => order * compare(key, cursor) > 0)
  left.sort((a, b) => order * compare(a.key, b.key))
  const page = left.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(({ item }) => item),
    next: last === undefined || left.length <= limit ? null : keyCursor(last.key),
  }
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, other] = [a[at] ?? '', b[at] ?? '']
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}
