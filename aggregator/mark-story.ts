/** What became of verdicts and findings in Kubernetes, as events: each is caused by the verdict or the finding behind it. */
import { counted } from '../common/counted.ts'
import type { Chronicle } from './chronicle.ts'
import { incidentThread } from './incidents.ts'
import type { Written } from './kubernetes/carry-out.ts'
import type { GatesOfNode } from './kubernetes/gates/gatekeeper.ts'
import type { Desired } from './kubernetes/marking/desired.ts'
import type { MarkCause } from './kubernetes/record.ts'
import { effectsOf, type MarkData } from './marks.ts'
import { livenessThread } from './mesh-story.ts'
import { findingEventId, verdictEventId } from './model.ts'

export class MarkStory {
  readonly #chronicle: Chronicle
  /** Why each verdict was last withheld: asked again every few seconds, it is told once. */
  readonly #withheld = new Map<string, string>()

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  /** Durable when it returns: the commit record of the mark. */
  marking({ node, desired }: MarkCause): void {
    const id = `marked/${keyOf(desired)}`
    const data = dataOf(desired)
    const summary = `marked: ${effectsOf(data).join(', ')}`
    this.#chronicle.record(id, 'marked', node, 'bad', summary, this.#causeOf(node, desired), data)
    this.#chronicle.requireStored(id, 'marked')
    this.#chronicle.goOnFrom(threadOf(node), id)
  }

  wouldMark({ node, desired }: MarkCause): void {
    const id = `would-mark/${keyOf(desired)}`
    const data = dataOf(desired)
    const summary = `would be marked, but for mode observe: ${effectsOf(data).join(', ')}`
    this.#chronicle.record(id, 'would-mark', node, 'info', summary, this.#causeOf(node, desired), data)
  }

  withheld({ node, desired }: MarkCause, why: string): void {
    const key = keyOf(desired)
    if (this.#withheld.get(key) === why) return
    this.#withheld.set(key, why)
    const id = this.#chronicle.nextId('mark-withheld', node)
    const data = { ...dataOf(desired), why }
    this.#chronicle.record(id, 'mark-withheld', node, 'info', `not marked: ${why}`, this.#causeOf(node, desired), data)
  }

  /** Tells what was undone, if anything was; what a kubelet wrote over is not. */
  wrote({ node, desired }: MarkCause, { ready, condition, taint, pods }: Written): void {
    const what = [
      ...(ready === 'undone' ? ['Ready'] : []),
      ...(pods > 0 && !desired.pods ? [`Ready of ${counted(pods, 'pod')}`] : []),
      ...(condition && desired.condition === undefined ? ['condition'] : []),
      ...(taint && desired.taint === undefined ? ['taint'] : []),
    ]
    if (what.length === 0) return
    const marked = this.#chronicle.store.query({ node, kinds: ['marked'], limit: 1 }).at(-1)?.id ?? ''
    const cause = this.#chronicle.last(threadOf(node)) || marked
    const id = this.#chronicle.nextId('undone', node)
    const verdictId = this.#chronicle.store.byId(cause)?.data.verdictId ?? ''
    const data = { verdictId, pods: desired.pods ? 0 : pods, isPart: desired.condition !== undefined }
    this.#chronicle.record(id, 'undone', node, 'good', `undone: ${what.join(', ')}`, cause, data)
    this.#chronicle.goOnFrom(threadOf(node), '')
  }

  /** Told once for each verdict: for the comparison with what Kubernetes does by itself. */
  markedByOthers({ node, verdict }: MarkCause): void {
    if (verdict === undefined) return
    const { verdictId } = verdict.standing
    const summary = 'Kubernetes itself holds it for not Ready'
    const cause = verdictEventId(verdictId)
    this.#chronicle.record(`stock-marked/${verdictId}`, 'stock-marked', node, 'info', summary, cause, { verdictId })
  }

  /** Opening again is caused by the closing. */
  wroteGates(what: 'closed' | 'opened', gates: GatesOfNode): void {
    const { node, group, reason, pods } = gates
    const kind = `gates-${what}` as const
    const thread = `gates/${node}/${group}`
    const id = this.#chronicle.nextId(kind, node)
    const why = reason === '' ? 'nothing stands against the node' : reason
    const summary = `gate of ${counted(pods.length, 'pod')} of ${group} ${what}: ${why}`
    const cause = what === 'closed' ? this.#causeOfGates(gates) : this.#chronicle.last(thread)
    this.#chronicle.record(id, kind, node, what === 'closed' ? 'bad' : 'good', summary, cause, dataOfGates(gates))
    this.#chronicle.goOnFrom(thread, what === 'closed' ? id : '')
  }

  keptGates(gates: GatesOfNode): void {
    const { node, group, pods } = gates
    const id = this.#chronicle.nextId('gates-kept', node)
    const summary = `gate of ${counted(pods.length, 'pod')} of ${group} left open: no other pod of the group serves`
    this.#chronicle.record(id, 'gates-kept', node, 'info', summary, this.#causeOfGates(gates), dataOfGates(gates))
  }

  /** The mark that taints the node; whoever led before may have it on record. */
  #causeOfGates({ node, cause }: GatesOfNode): string {
    const marked = this.#chronicle.last(threadOf(node))
    if (marked !== '' || cause === undefined) return marked
    return cause.kind === 'verdict' ? verdictEventId(cause.id) : findingEventId(cause.id)
  }

  #causeOf(node: string, { condition }: Desired): string {
    if (condition === undefined) return ''
    const { cause } = condition
    if (cause.kind === 'verdict') return verdictEventId(cause.standing.verdictId)
    if (cause.kind === 'finding') return findingEventId(cause.id)
    // What the mesh told of its links, or of its agent.
    const thread = cause.reason === 'LinkFault' ? incidentThread('link-fault', node) : livenessThread(node)
    return this.#chronicle.last(thread)
  }
}

/** Of many pods the first few say enough. */
const NAMED_MAX = 20

function dataOfGates({ group, reason, pods }: GatesOfNode): object {
  return { group, reason, count: pods.length, pods: pods.slice(0, NAMED_MAX) }
}

function threadOf(node: string): string {
  return `mark/${node}`
}

/** One mark of one cause; a verdict that turns into Isolated makes another. */
function keyOf({ condition }: Desired): string {
  if (condition === undefined) return ''
  const { cause, reason } = condition
  return cause.kind === 'verdict' ? `${cause.standing.verdictId}/${reason}` : cause.id
}

function dataOf({ mode, ready, pods, condition, taint }: Desired): MarkData {
  const cause = condition?.cause
  return {
    verdictId: cause?.kind === 'verdict' ? cause.standing.verdictId : '',
    findingId: cause === undefined || cause.kind === 'verdict' ? '' : cause.id,
    ...{ mode, ready: ready ?? '', pods, condition: condition?.reason ?? '', taint: taint ?? '' },
  }
}
