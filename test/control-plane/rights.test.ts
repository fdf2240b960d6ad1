/**
 * What the roles that we ship allow, and that it is all they allow: everything that the API server serves is tried, by
 * real requests with the token of an account that has the one role.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { PERMITS_OBJECT } from '../../aggregator/kubernetes/permits/book-object.ts'
import { GROUP } from '../../aggregator/kubernetes/remediations/rules/object.ts'
import { ROSTER_OBJECT } from '../../aggregator/kubernetes/roster/epoch-record.ts'
import { AGGREGATOR_ACCOUNT, manifest, NAMESPACE, ROLES, type Role } from '../../bench/control-plane/manifests.ts'
import { missingForApiServer } from '../../bench/control-plane/programs.ts'
import { describeReal } from '../real-part.ts'
import { type Attempt, allowedOf, everyAttempt, labelOf } from './attempts.ts'
import { type Plane, thePlane, WITHIN_MS } from './stage.ts'

/** Verbs, resource, and where it is not everywhere the namespace, with or without a name. */
type Grant = readonly [verbs: string, resource: string, namespace?: string, name?: string]

const LEASES = 'leases.coordination.k8s.io'
const LEASE = 'starling-aggregator'
const KURED = 'kured'
const REMEDIATIONS = 'remediations.starling.mesh'

const GRANTS: Readonly<Record<Role, readonly Grant[]>> = {
  observe: [
    ['get list watch', 'nodes'],
    ['get list watch', 'pods'],
    ['get list watch', LEASES],
    ['create', LEASES, NAMESPACE],
    ['get update patch delete', LEASES, NAMESPACE, LEASE],
    ['create', 'configmaps', NAMESPACE],
    ['get update', 'configmaps', NAMESPACE, ROSTER_OBJECT],
    ['get update', 'configmaps', NAMESPACE, PERMITS_OBJECT],
    ['get', 'daemonsets.apps', 'kube-system', KURED],
    ['create patch', 'events', 'default'],
    ['create patch', 'events.events.k8s.io', 'default'],
  ],
  mark: [
    ['patch', 'nodes/status'],
    ['patch', 'pods/status'],
    ['patch', 'nodes'],
  ],
  remediations: [
    ['list watch create patch delete', REMEDIATIONS],
    ['patch', `${REMEDIATIONS}/status`],
  ],
  remediate: [
    ['patch', 'nodes'],
    ['create', 'pods/eviction'],
  ],
  fence: [
    ['delete', 'pods'],
    ['get list watch delete', 'volumeattachments.storage.k8s.io'],
  ],
}

/** Kubernetes lets everybody whom it knows ask about themselves. */
const OF_EVERYBODY: readonly Grant[] = [
  ['create', 'selfsubjectaccessreviews.authorization.k8s.io'],
  ['create', 'selfsubjectrulesreviews.authorization.k8s.io'],
  ['create', 'selfsubjectreviews.authentication.k8s.io'],
]

const ACCOUNTS: readonly (readonly [account: string, grants: readonly Grant[]])[] = [
  ...ROLES.map((role) => [`only-${role}`, GRANTS[role]] as const),
  [AGGREGATOR_ACCOUNT, Object.values(GRANTS).flat()],
  ['starling-agent', []],
]

describeReal('the rights of service accounts', missingForApiServer(), () => {
  let shared: Plane
  let attempts: readonly Attempt[]
  beforeAll(async () => {
    shared = await thePlane()
    // The server serves a kind of object a moment after it was defined.
    await shared.cluster.until('remediations are served', async () => {
      const { groups } = await shared.plane.admin.get<{ groups: readonly { name: string }[] }>('/apis')
      return groups.some(({ name }) => name === GROUP)
    })
    attempts = await everyAttempt(
      shared.plane.admin,
      [NAMESPACE, 'default', 'kube-system'],
      ['absent', LEASE, ROSTER_OBJECT, PERMITS_OBJECT, KURED],
    )
    for (const role of ROLES) await bindAlone(shared, role)
  }, WITHIN_MS)

  it('are tried on everything there is', () => {
    const labels = attempts.map(labelOf)
    expect(labels.length).toBeGreaterThan(1_000)
    for (const [verbs, resource, namespace, name] of Object.values(GRANTS).flat()) {
      for (const verb of verbs.split(' '))
        expect(labels.filter((label) => label.startsWith(`${verb} ${resource} `))).toEqual(
          expect.arrayContaining([expect.stringContaining(`${namespace ?? ''}/${name ?? ''}`)]),
        )
    }
  })

  it.each(ACCOUNTS)(
    'of %s are what it needs and nothing else',
    async (account, grants) => {
      const api = await shared.plane.requestsOf(NAMESPACE, account)
      const all = [...OF_EVERYBODY, ...grants]
      const wanted = attempts.filter((attempt) => all.some((grant) => covers(grant, attempt)))
      try {
        // The authorizer hears of a binding a moment after it was made.
        await shared.cluster.until(`${account} has its rights`, async () => {
          const allowed = await allowedOf(api, wanted)
          return allowed.length === wanted.length
        })
        const allowed = await allowedOf(api, attempts)
        expect(allowed.map(labelOf).toSorted()).toEqual(wanted.map(labelOf).toSorted())
      } finally {
        api.close()
      }
    },
    WITHIN_MS,
  )
})

function covers([verbs, resource, namespace, name]: Grant, attempt: Attempt): boolean {
  return (
    verbs.split(' ').includes(attempt.verb) &&
    resource === attempt.resource &&
    (namespace === undefined || namespace === attempt.namespace) &&
    (name === undefined || name === attempt.name)
  )
}

interface Binding {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly subjects: readonly object[]
}

/** An account that has what the role's own file binds, and nothing of the others. */
async function bindAlone({ plane }: Plane, role: Role): Promise<void> {
  const account = `only-${role}`
  const of = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } }
  await plane.admin.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, of)
  const documents = parseAllDocuments(readFileSync(manifest(role), 'utf8')).map((each) => each.toJS() as Binding)
  for (const binding of documents.filter(({ kind }) => kind.endsWith('Binding'))) {
    const { name, namespace } = binding.metadata
    const place = namespace === undefined ? 'clusterrolebindings' : `namespaces/${namespace}/rolebindings`
    await plane.admin.create(`/apis/rbac.authorization.k8s.io/v1/${place}`, {
      ...binding,
      metadata: { name: `${name}-alone` },
      subjects: binding.subjects.map((subject) => ({ ...subject, name: account })),
    })
  }
}
