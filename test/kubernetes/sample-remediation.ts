/** A remediation as a node says it, and where its object is in a test: as an API server keeps it, without one. */
import { ApiError } from '../../aggregator/kubernetes/api-error.ts'
import type { ObjectStore } from '../../aggregator/kubernetes/remediations/object-store.ts'
import type { RemediationObject } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { shownOf } from '../../aggregator/kubernetes/remediations/rules/shown.ts'
import { nextWrite, type Write } from '../../aggregator/kubernetes/remediations/rules/writes.ts'
import type { Change, Plan, Remediation, Risk } from '../../remediators/contract.ts'
import { makePlan } from '../../remediators/plan.ts'
import { fault } from '../aggregator/permits/world.ts'

export const AT = '2026-01-31T12:00:00.000Z'
export const CHANGE: Change = { what: 'net.core.somaxconn', before: '128', after: '4096', undo: 'sysctl -w ...=128' }

interface PlanParts {
  readonly node?: string | undefined
  readonly changes?: readonly Change[] | undefined
  readonly risk?: Risk | undefined
  readonly createdAt?: string | undefined
  readonly cause?: string | undefined
}

export function planOf({
  node = 'node-1',
  changes = [CHANGE],
  risk = 'low',
  createdAt = AT,
  cause = '',
}: PlanParts): Plan {
  return makePlan({ name: 'sysctl', reach: 'none', risk }, { ...fault(node), cause }, changes, createdAt)
}

export function remediation(parts: Partial<Remediation> & PlanParts = {}): Remediation {
  const { node, changes, risk, createdAt, cause, ...said } = parts
  const plan = planOf({ node, changes, risk, createdAt, cause })
  const rule = { policy: 'remediators.sysctl', mode: 'approve', rung: 1, attempt: 1 } as const
  return { plan, phase: 'awaiting-approval', why: 'waiting for approval', at: AT, ...rule, ...said }
}

type Fields = Record<string, unknown>

export class FakeObjects implements ObjectStore {
  readonly writes: Write[] = []
  /** Throws what a write is to fail with. */
  before: (write: Write) => void = () => {}
  isInstalled = true
  #objects = new Map<string, RemediationObject>()
  #changed = () => {}
  #isFollowed = false
  #version = 0

  get objects(): ReadonlyMap<string, RemediationObject> | undefined {
    return this.isInstalled && this.#isFollowed ? this.#objects : undefined
  }

  start(changed: () => void): void {
    this.#isFollowed = true
    this.#changed = changed
  }

  stop(): void {
    this.#isFollowed = false
  }

  get(name: string): RemediationObject {
    const object = this.#objects.get(name)
    if (object === undefined) throw new Error(`there is no ${name}`)
    return object
  }

  /** As by `kubectl create`, whatever the status that it has. */
  create(name: string, spec: Fields, labels: Readonly<Record<string, string>> = {}): void {
    const uid = `uid-${++this.#version}`
    const metadata = { name, uid, labels, generation: 1, creationTimestamp: AT, resourceVersion: String(this.#version) }
    this.#objects.set(name, { metadata, spec } as RemediationObject)
    this.#changed()
  }

  /** As by `kubectl patch --type merge`. */
  patch(name: string, { metadata, spec }: { readonly metadata?: Fields; readonly spec?: Fields }): void {
    const before = this.get(name)
    const next = merged(before, { metadata: { labels: metadata?.labels ?? {} }, spec: spec ?? {} })
    const isOther = JSON.stringify(next.spec) !== JSON.stringify(before.spec)
    this.#put(next, before.metadata.generation + (isOther ? 1 : 0))
  }

  delete(name: string): void {
    this.#objects.delete(name)
    this.#changed()
  }

  async write(write: Write): Promise<void> {
    this.before(write)
    this.writes.push(write)
    await Promise.resolve()
    const { kind, name } = write
    if (kind === 'remove') return this.delete(name)
    const body = write.body as { readonly metadata: Fields & { labels: Record<string, string> }; readonly spec: Fields }
    if (kind === 'create') return this.create(name, body.spec, body.metadata.labels)
    if (!this.#objects.has(name)) throw new ApiError('not-found', 404, 'there is no such object')
    if (kind === 'patch') return this.patch(name, body)
    this.#put(merged(this.get(name), { status: (write.body as { status: Fields }).status }), undefined)
  }

  #put(object: RemediationObject, generation = object.metadata.generation): void {
    const metadata = { ...object.metadata, generation, resourceVersion: String(++this.#version) }
    this.#objects.set(metadata.name, { ...object, metadata })
    this.#changed()
  }
}

/** RFC 7386: an object is merged, null takes away, everything else takes the place of what was there. */
function merged<T>(before: T, patch: unknown): T {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch as T
  const next: Fields = { ...(typeof before === 'object' && !Array.isArray(before) ? (before as Fields) : {}) }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key]
    else next[key] = merged(next[key], value)
  }
  return next as T
}

/** The object of a remediation, as the leader has written it whole. */
export async function objectOf(of: Remediation): Promise<RemediationObject> {
  const store = new FakeObjects()
  store.start(() => {})
  const { id } = of.plan
  const next = () => nextWrite(store.objects?.get(id), { shown: shownOf(of), answer: undefined, withTexts: true })
  for (let write = next(); write !== undefined; write = next()) await store.write(write)
  return store.get(id)
}
