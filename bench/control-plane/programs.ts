/** The programs of a control plane: built by the set-up, or of somebody's own choice (KUBEBUILDER_ASSETS). */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { kubernetesFolder } from '../../scripts/setup/kubernetes-cache.mjs'
import { missingForNamespaces } from '../namespaces/namespace.ts'

export type Program = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubemark'

export function programFile(program: Program): string {
  return join(kubernetesFolder(), program)
}

/** What is missing for an API server on this machine, as a noun phrase; undefined when nothing is. */
export function missingForApiServer(): string | undefined {
  const missing = missingForNamespaces()
  if (missing !== undefined) return missing
  if (spawnSync('openssl', ['version']).status !== 0) return 'openssl'
  return missingProgram('etcd') ?? missingProgram('kube-apiserver')
}

/** The same for nodes, which envtest's folders do not have the programs for. */
export function missingForNodes(): string | undefined {
  return missingForApiServer() ?? missingProgram('kube-controller-manager') ?? missingProgram('kubemark')
}

function missingProgram(program: Program): string | undefined {
  try {
    accessSync(programFile(program), constants.X_OK)
    return undefined
  } catch {
    return `${program} in ${kubernetesFolder()} (CONTRIBUTING.md says where it comes from)`
  }
}
