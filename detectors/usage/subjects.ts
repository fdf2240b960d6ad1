/** Whose use is kept beside the node's: services of systemd, and containers, under the names that people know them by. */
import { type Host, NotApplicable } from '../contract.ts'
import type { CgroupTree } from '../reading/cgroups.ts'
import { POD_ROOTS, podCgroups } from '../reading/pod-cgroups.ts'

export const NODE = 'node'

export interface SubjectGroup {
  /** `service/NAME`, or `container/NAMESPACE/POD/NAME`. */
  readonly name: string
  /** Its control group. */
  readonly group: string
  /** It may have a network of its own. */
  readonly isContainer: boolean
}

/** Containers first: they change more, and a node has more of them. */
export async function subjectGroups(host: Host, tree: CgroupTree): Promise<readonly SubjectGroup[]> {
  return [
    ...(await containersOfPods(host, tree)),
    ...(await containersOfDocker(host, tree)),
    ...(await services(host, tree)),
  ]
}

async function containersOfPods(host: Host, tree: CgroupTree): Promise<readonly SubjectGroup[]> {
  const names = await containerNames(host)
  return (await podCgroups(host, tree, POD_ROOTS)).flatMap(({ uid, containers }) => {
    const known = containers.map((group) => ({ group, id: idIn(group), name: names.get(idIn(group)) }))
    // A sandbox has no log, so that it is told from its containers where those have one.
    const shown = known.some(({ name }) => name !== undefined) ? known.filter(({ name }) => name !== undefined) : known
    return shown.map(({ group, id, name }) => ({
      name: `container/${name ?? `${uid.slice(0, 8)}/${id.slice(0, 12)}`}`,
      group,
      isContainer: true,
    }))
  })
}

/** The kubelet names the logs of its containers NAME_NAMESPACE_CONTAINER-ID.log. By the container's id. */
async function containerNames(host: Host): Promise<ReadonlyMap<string, string>> {
  const logs = await namesIn(host, '/var/log/containers')
  const found = logs.map((log) => /^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$/.exec(log))
  return new Map(
    found.flatMap((parts) => (parts === null ? [] : [[parts[4] ?? '', `${parts[2]}/${parts[1]}/${parts[3]}`]])),
  )
}

/** Docker without Kubernetes, by the ids that it gives. */
async function containersOfDocker(host: Host, tree: CgroupTree): Promise<readonly SubjectGroup[]> {
  const below = ['/docker', '/system.slice'].map(async (folder) => {
    const names = await namesIn(host, tree.cpu + folder)
    return names
      .filter((name) => /^(?:[0-9a-f]{64}|docker-[0-9a-f]{64}\.scope)$/.test(name))
      .map((name) => `${folder}/${name}`)
  })
  const groups = (await Promise.all(below)).flat()
  return groups.map((group) => ({ name: `container/${idIn(group).slice(0, 12)}`, group, isContainer: true }))
}

async function services(host: Host, tree: CgroupTree): Promise<readonly SubjectGroup[]> {
  const names = (await namesIn(host, `${tree.memory}/system.slice`)).filter((name) => name.endsWith('.service'))
  return names.map((name) => ({
    name: `service/${name.slice(0, -8)}`,
    group: `/system.slice/${name}`,
    isContainer: false,
  }))
}

const idIn = (group: string) => /[0-9a-f]{64}/.exec(group)?.[0] ?? group.slice(group.lastIndexOf('/') + 1)

async function namesIn(host: Host, folder: string): Promise<readonly string[]> {
  try {
    return await host.list(folder)
  } catch (error) {
    if (error instanceof NotApplicable) return []
    throw error
  }
}
