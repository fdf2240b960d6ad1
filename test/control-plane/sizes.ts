/** Fewer nodes on the stage that is there, and all of them again: machines that leave the cluster, and that are installed anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ControlPlaneStage } from '../../bench/control-plane/stage.ts'
import { until } from '../../bench/whole.ts'
import { issueCertificate, readCertificate } from '../../mesh/identity/enrolment.ts'
import { writeEnrolled } from '../../mesh/identity/identity-dir.ts'
import { keyPairFromSeed } from '../../mesh/identity/keys.ts'

const NODES = '/api/v1/nodes'

/** Their Nodes go, and with them their membership; their agents are stopped. */
export async function takeOut(stage: ControlPlaneStage, names: readonly string[]): Promise<void> {
  await deleteNodes(stage, names)
  for (const name of names) await stage.mesh.processes(name).agent.stop()
}

/**
 * Resolves when they are no members. A person lets through what the roster's brakes hold: other tests may have taken out some
 * within the last ten minutes, too.
 */
export async function deleteNodes(stage: ControlPlaneStage, names: readonly string[]): Promise<void> {
  const { mesh, plane } = stage
  for (const name of names) {
    await stage.kubelet(name).kill()
    await plane.admin.remove(`${NODES}/${name}`)
  }
  await until(mesh.client, `${names.join(', ')} are no members`, async () => {
    const { members, roster } = await mesh.client.state()
    if (!members.some(({ node }) => names.includes(node))) return true
    if (roster?.held.length !== 0) await mesh.client.releaseRoster({ reason: 'a smaller cluster', via: 'cli' })
    return false
  })
}

/** The same machines under the same names, with Nodes and enrolments of their own. */
export async function putBack(stage: ControlPlaneStage, names: readonly string[]): Promise<void> {
  const { mesh } = stage
  for (const name of names) {
    stage.kubelet(name).start()
    await enrolAnew(stage, name)
    mesh.processes(name).agent.start()
  }
  await until(mesh.client, `${names.join(', ')} are members`, async () => {
    const members = new Set((await mesh.client.state()).members.map(({ node }) => node))
    return names.every((name) => members.has(name))
  })
  await stage.cluster.untilReady(names)
  await mesh.untilWhole()
}

/** As its CA does, with a key of its own: the agent is given it, and the aggregators are told. */
export async function enrolAnew({ mesh, network: { dir } }: ControlPlaneStage, node: string): Promise<void> {
  const ca = await keyPairFromSeed(new Uint8Array(readFileSync(join(dir, 'ca.key'))))
  const file = join(dir, node, 'cert')
  const before = readCertificate(new Uint8Array(readFileSync(file)), ca.publicKey, 'namespaces', Date.now())
  const certificate = issueCertificate(ca, { ...before, serial: before.serial + 1 })
  writeFileSync(file, certificate)
  for (const { name } of mesh.aggregators) writeEnrolled(join(dir, name), node, certificate)
}
