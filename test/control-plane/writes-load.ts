/**
 * The priority level that service accounts share, taken up by one of them: its requests hang in a webhook that never answers,
 * so they hold their places and cost no processor. And the FlowSchema that lifts the aggregators out of there.
 */
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { CONTROL_PLANE } from '../../bench/control-plane/control-plane.ts'
import { AGGREGATOR_ACCOUNT, NAMESPACE } from '../../bench/control-plane/manifests.ts'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { listenIn } from '../../bench/namespaces/listen.ts'

const LOADED = 'loaded'
/** workload-low has some 290 of the 600 places of a server as shipped, and the rest of these wait. */
const AT_ONCE = 400
const HANGS_SECONDS = 10
/** So that places come free one after another, and not all at once. */
const STAGGER_MS = (HANGS_SECONDS * 1_000) / AT_ONCE

const MUTE_PORT = 8_443
const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const BINDINGS = `/apis/rbac.authorization.k8s.io/v1/namespaces/${LOADED}/rolebindings`

export interface Load {
  /** Answers so far, by HTTP status; 0 for none in time. */
  readonly answers: ReadonlyMap<number, number>
  /** Resolves when all is as before, but for the namespace. */
  stop(): Promise<void>
}

/** Resolves when all of it is there. */
export async function saturate({ plane, network, cluster }: ControlPlaneStage): Promise<Load> {
  const { admin } = plane
  await admin.ask('POST', '/api/v1/namespaces', { metadata: { name: LOADED, labels: { [LOADED]: 'yes' } } })
  await cluster.until('its account', () => admin.get(`/api/v1/namespaces/${LOADED}/serviceaccounts/default`))
  await admin.ask('POST', BINDINGS, {
    metadata: { name: LOADED },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: LOADED }],
  })
  const mute = await listenIn(network.on(CONTROL_PLANE.name), MUTE_PORT)
  const lines = new Set<Socket>()
  mute.on('connection', (line) => {
    lines.add(line.on('error', () => line.destroy()).once('close', () => lines.delete(line)))
  })
  await admin.create(WEBHOOKS, {
    metadata: { name: LOADED },
    webhooks: [
      {
        name: 'mute.starling.test',
        clientConfig: { url: `https://127.0.0.1:${MUTE_PORT}/` },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        namespaceSelector: { matchLabels: { [LOADED]: 'yes' } },
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: HANGS_SECONDS,
      },
    ],
  })
  const requests = await plane.requestsOf(LOADED, 'default', AT_ONCE)
  const answers = new Map<number, number>()
  let isOver = false
  const loop = async (index: number) => {
    await wait(index * STAGGER_MS)
    while (!isOver) {
      const path = `/api/v1/namespaces/${LOADED}/configmaps?dryRun=All`
      const answer = await requests.ask('POST', path, { metadata: { name: 'any' } }).catch(() => undefined)
      const status = answer?.status ?? 0
      answers.set(status, (answers.get(status) ?? 0) + 1)
    }
  }
  const loops = Array.from({ length: AT_ONCE }, (_, index) => loop(index))
  await wait(AT_ONCE * STAGGER_MS)
  return {
    answers,
    stop: async () => {
      isOver = true
      requests.close()
      await admin.remove(`${WEBHOOKS}/${LOADED}`)
      await Promise.all(loops)
      for (const line of lines) line.destroy()
      mute.close()
    },
  }
}

/** Puts the aggregators' account beside those of the system; returns what ends it. */
export async function lift({ plane }: ControlPlaneStage): Promise<() => Promise<void>> {
  const { admin } = plane
  const { preferredVersion } = await admin.get<{ preferredVersion: { groupVersion: string } }>(
    '/apis/flowcontrol.apiserver.k8s.io',
  )
  const schemas = `/apis/${preferredVersion.groupVersion}/flowschemas`
  await admin.create(schemas, {
    metadata: { name: 'starling' },
    spec: {
      priorityLevelConfiguration: { name: 'workload-high' },
      matchingPrecedence: 1_000,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: AGGREGATOR_ACCOUNT, namespace: NAMESPACE } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  })
  return () => admin.remove(`${schemas}/starling`)
}
