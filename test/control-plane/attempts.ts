/**
 * Everything that can be asked of an API server, by what it says of itself: each resource with each of its verbs, in each
 * of a few namespaces. Writes are dry runs on objects that do not exist, so nothing comes of those that are allowed.
 */
import type { ApiRequests, Method } from '../../bench/control-plane/requests.ts'

export interface Attempt {
  readonly verb: string
  /** As `kubectl` names it: `leases.coordination.k8s.io`, `pods/status`. */
  readonly resource: string
  /** Empty for what has none. */
  readonly namespace: string
  /** Empty where a verb is about all of them. */
  readonly name: string
  readonly method: Method
  readonly path: string
}

const FORBIDDEN = 403
/** Said before anybody looks at rights: service accounts share the least of an API server's turns. */
const TOO_MANY = 429
const ATTEMPTS_AT_ONCE = 8

const METHODS: Readonly<Record<string, Method>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}
const OF_COLLECTIONS = ['list', 'watch', 'create', 'deletecollection']
const READING = ['get', 'list']

interface Resource {
  readonly name: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
}

/** `names`: of the objects that are asked for. */
export async function everyAttempt(
  api: ApiRequests,
  namespaces: readonly string[],
  names: readonly string[],
): Promise<readonly Attempt[]> {
  const { groups } = await api.get<{
    groups: readonly { name: string; versions: readonly { groupVersion: string }[] }[]
  }>('/apis')
  const served = [
    { group: '', root: '/api/v1' },
    ...groups.flatMap(({ name, versions }) =>
      versions.map(({ groupVersion }) => ({ group: name, root: `/apis/${groupVersion}` })),
    ),
  ]
  // Rights are about groups, whatever the version: of several, any will do.
  const attempts = new Map<string, Attempt>()
  for (const { group, root } of served) {
    const { resources } = await api.get<{ resources: readonly Resource[] }>(root)
    for (const resource of resources)
      for (const attempt of attemptsOn(resource, group, root, namespaces, names))
        attempts.set(labelOf(attempt), attempt)
  }
  return [...attempts.values()]
}

function attemptsOn(
  { name, namespaced, verbs }: Resource,
  group: string,
  root: string,
  namespaces: readonly string[],
  names: readonly string[],
): Attempt[] {
  const [plural = '', sub] = name.split('/')
  const [head, tail] = sub === undefined ? [plural, ''] : [plural, `/${sub}`]
  const resource = `${head}${group === '' ? '' : `.${group}`}${tail}`
  return (namespaced ? namespaces : ['']).flatMap((namespace) => {
    const collection = `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}`
    return verbs.flatMap((verb) => {
      const isOfCollection = sub === undefined && OF_COLLECTIONS.includes(verb)
      return (isOfCollection ? [''] : names).map((object): Attempt => {
        const path = `${collection}${isOfCollection ? '' : `/${object}`}${tail}${queryOf(verb)}`
        return { verb, resource, namespace, name: object, method: METHODS[verb] ?? 'GET', path }
      })
    })
  })
}

function queryOf(verb: string): string {
  if (verb === 'watch') return '?watch=true&timeoutSeconds=1'
  return READING.includes(verb) ? '' : '?dryRun=All'
}

/** Such as `patch pods/status default/absent`. */
export function labelOf({ verb, resource, namespace, name }: Attempt): string {
  return `${verb} ${resource} ${namespace}/${name}`
}

/** Those that were not forbidden, whatever became of them then. */
export async function allowedOf(api: ApiRequests, attempts: readonly Attempt[]): Promise<readonly Attempt[]> {
  const allowed: Attempt[] = []
  const waiting = [...attempts]
  const work = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { status } = await api.ask(next.method, next.path, next.method === 'GET' ? undefined : {})
      if (status === TOO_MANY) waiting.unshift(next)
      else if (status !== FORBIDDEN) allowed.push(next)
    }
  }
  await Promise.all(Array.from({ length: ATTEMPTS_AT_ONCE }, work))
  return allowed
}
