/** Marking and election, put together for an aggregator that has a cluster: client, witness, marker, and what the mesh tells them. */
import { messageOf } from '../../common/errors.ts'
import type { Log } from '../../common/log.ts'
import type { Finding } from '../../detectors/contract.ts'
import type { Leader } from '../../mesh/core/leader.ts'
import type { Notice } from '../../mesh/core/message.ts'
import type { Standing } from '../../mesh/core/model.ts'
import type { Marking } from '../../settings/marking.ts'
import type { MarkStory } from '../mark-story.ts'
import type { AggregatorMetrics } from '../metrics.ts'
import type { VerdictView } from '../model.ts'
import type { Authority } from './authority.ts'
import { type ClusterAccess, connectKubernetes, type KubeClient } from './client.ts'
import { createCluster } from './cluster.ts'
import { Diagnoses } from './diagnoses.ts'
import { type ElectionOptions, type RunningElection, startElection } from './election.ts'
import { Gatekeeper, type GateRecord } from './gates/gatekeeper.ts'
import { watchOptedPods } from './gates/opted-pods.ts'
import { InheritedFindings } from './inherited.ts'
import { createLeaseStore } from './lease.ts'
import { Marker } from './marker.ts'
import type { NodeObject } from './marking/objects.ts'
import { verdictsOnNodes } from './marking/shown.ts'
import { overheard } from './overheard.ts'
import type { KnownVerdict, MarkCause, MarkRecord } from './record.ts'
import { timesAt } from './times.ts'
import { Witness } from './witness.ts'

export interface KubernetesInit {
  readonly access: ClusterAccess
  readonly story: MarkStory
  readonly metrics: Pick<AggregatorMetrics, 'mark' | 'apiWrite'>
  readonly log: Log
  marking(): Marking
  findingsOf(node: string): readonly Finding[]
  /** The verdict as the history tells it. */
  verdictOf(id: string): VerdictView | undefined
}

/** What marking asks of the running mesh. */
export interface MeshOfMarks {
  /** While this aggregator leads. */
  readonly leader: Leader | undefined
  lives(node: string): void
  askAfresh(node: string): void
}

export interface Kubernetes {
  /** Of this aggregator, once it stands for election. */
  readonly authority: Authority
  /** Stands for election by the Lease in this namespace. */
  elect(namespace: string, options: Omit<ElectionOptions, 'store' | 'log'>): RunningElection
  /** For the mesh: whether a kubelet renewed its Lease within the last `silentMs`. */
  heartbeats(node: string, silentMs: number): Promise<boolean | undefined>
  /** Verdicts that marks on Nodes stand for, beside those on record; none when the cluster does not answer. */
  standingOnNodes(): Promise<readonly Standing[]>
  /** Takes over with these verdicts, until it is told to rest. */
  start(mesh: MeshOfMarks, standing: readonly Standing[]): void
  /** Another leads: what stands on Nodes is left to that one. */
  rest(): Promise<void>
  committed(standing: Standing): void
  notice(notice: Notice): void
  /** A node said something about itself. */
  heard(node: string): void
  stop(): Promise<void>
}

/** Throws UsageError when the cluster cannot be found; one that does not answer is no error. */
export async function connectMarking(init: KubernetesInit): Promise<Kubernetes> {
  const client = await connectKubernetes(init.access, init.metrics.apiWrite)
  // Lines of its own: behind the reads of many Nodes on a slow server the Lease would be lost.
  const ofLease = await connectKubernetes(init.access, init.metrics.apiWrite)
  return createMarking(init, client, ofLease)
}

function createMarking(init: KubernetesInit, client: KubeClient, ofLease: KubeClient): Kubernetes {
  const cluster = createCluster(client)
  const { log, verdictOf } = init
  let election: RunningElection | undefined
  const authority: Authority = {
    get term() {
      return election?.term ?? 0
    },
    renewals: { firstSince: (ms) => election?.renewals.firstSince(ms) },
    mayWrite: () => election?.mayWrite() ?? false,
  }
  const now = () => performance.now()
  const times = () => timesAt(Date.now())
  const witness = new Witness(cluster, authority.renewals, now)
  let marker: Marker | undefined
  let diagnoses: Diagnoses | undefined
  let gatekeeper: Gatekeeper | undefined
  const known = (standing: Standing, sinceMs = now()): KnownVerdict => {
    const silences = (verdictOf(standing.verdictId)?.votes ?? []).filter(({ opinion }) => opinion === 'silent')
    const silentMs = silences.length === 0 ? 0 : Math.min(...silences.map(({ forMs }) => forMs))
    const says = silences.length === 0 ? 'as found on the Node' : saysOf(verdictOf(standing.verdictId))
    return { standing, sinceMs, silentSinceMs: now() - silentMs, says }
  }
  const rest = async (): Promise<void> => {
    const stopping = [marker?.stop(), gatekeeper?.stop(), diagnoses?.stop()]
    // At once: should this aggregator lead again before they have stopped, it has others by then.
    marker = undefined
    gatekeeper = undefined
    diagnoses = undefined
    await Promise.all(stopping)
  }
  return {
    authority,
    elect: (namespace, options) => {
      election = startElection({ ...options, log, store: createLeaseStore(ofLease, namespace) })
      return election
    },
    heartbeats: (node, silentMs) => witness.hasRenewed(node, now() - silentMs),
    standingOnNodes: async () => {
      try {
        return verdictsOnNodes(await cluster.nodes())
      } catch (error) {
        log.warn({ err: messageOf(error) }, 'the cluster does not answer: marks on Nodes are not known')
        return []
      }
    },
    start: (mesh, standing) => {
      const record = gateRecordOf(init)
      gatekeeper = new Gatekeeper({ pods: watchOptedPods(client), cluster, authority, record, log, times })
      gatekeeper.start()
      const changed = (node: string) => marker?.reported(node)
      const wall = () => new Date().toISOString()
      const found = new Diagnoses({ leader: () => mesh.leader, witness, log, changed, now, wall })
      diagnoses = found
      const inherited = new InheritedFindings(now)
      const saw = (nodes: readonly NodeObject[], isAll: boolean) => {
        if (isAll) inherited.saw(nodes)
        gatekeeper?.saw(nodes, isAll)
      }
      marker = new Marker({
        ...init,
        findingsOf: (node) => inherited.of(node, [...init.findingsOf(node), ...found.of(node)]),
        authority,
        cluster: overheard(cluster, saw),
        witness,
        record: recordOf(init),
        lives: mesh.lives,
        askAfresh: mesh.askAfresh,
        now,
        times,
      })
      // Held back for long enough by whoever led before: what is marked must not be undone for another hold.
      marker.start(standing.map((verdict) => known(verdict, Number.NEGATIVE_INFINITY)))
      diagnoses.start()
    },
    committed: (standing) => marker?.convicted(known(standing)),
    notice: (notice) => {
      if (notice.kind === 'recovered') marker?.ended(notice.verdict.subject)
      else if (notice.kind === 'isolated') marker?.isolated(notice.verdict)
      else if (notice.kind === 'agentDown' || notice.kind === 'agentUp') diagnoses?.look(notice.subject)
      else if (notice.kind === 'linkFault') diagnoses?.look(notice.subject)
    },
    heard: (node) => marker?.reported(node),
    rest,
    stop: async () => {
      // What was sent under the Lease is over when it is given up.
      await rest()
      await election?.stop()
      client.close()
      ofLease.close()
    },
  }
}

function saysOf(view: VerdictView | undefined): string {
  const silent = view?.votes.filter(({ opinion }) => opinion === 'silent').length ?? 0
  return `${silent} of ${view?.votes.length ?? 0} observers agree`
}

/** Events and figures, as one record. */
function recordOf({ story, metrics }: KubernetesInit): MarkRecord {
  const count = ({ desired }: MarkCause, result: string) => {
    const { ready, pods, condition, taint } = desired
    if (ready !== undefined) metrics.mark('ready', result)
    if (pods) metrics.mark('pods', result)
    if (condition !== undefined) metrics.mark('condition', result)
    if (taint !== undefined) metrics.mark('taint', result)
  }
  return {
    marking: (cause) => story.marking(cause),
    wrote: (cause, written) => {
      const { ready, condition, taint, pods } = written
      const { desired } = cause
      if (ready !== undefined) metrics.mark('ready', ready === 'marked' ? 'written' : 'undone')
      if (condition) metrics.mark('condition', desired.condition === undefined ? 'undone' : 'written')
      if (taint) metrics.mark('taint', desired.taint === undefined ? 'undone' : 'written')
      if (pods > 0) metrics.mark('pods', desired.pods ? 'written' : 'undone', pods)
      story.wrote(cause, written)
    },
    wouldMark: (cause) => {
      count(cause, 'would')
      story.wouldMark(cause)
    },
    withheld: (cause, why) => {
      count(cause, 'withheld')
      story.withheld(cause, why)
    },
    markedByOthers: (cause) => story.markedByOthers(cause),
    failed: (kind) => metrics.mark('any', kind),
  }
}

/** The same of readiness gates. */
function gateRecordOf({ story, metrics }: KubernetesInit): GateRecord {
  return {
    wroteGates: (what, gates) => {
      metrics.mark('gate', what === 'closed' ? 'written' : 'undone', gates.pods.length)
      story.wroteGates(what, gates)
    },
    keptGates: (gates) => {
      metrics.mark('gate', 'withheld', gates.pods.length)
      story.keptGates(gates)
    },
  }
}
