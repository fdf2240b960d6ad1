/** Where the Kubernetes programs of the tests are: the set-up puts them there, bench/control-plane runs them. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Debian 12 has the source of this version. */
export const KUBERNETES_VERSION = '1.20.2'

/** Raised when other programs are to be made of the same version. */
const BUILD = 2

/** The programs in the folder that the set-up makes. */
export const KUBERNETES_PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kubemark']

/** A folder outside the checkout, so that one build serves all checkouts on a machine. */
export function kubernetesCache(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'starling', `kubernetes-${KUBERNETES_VERSION}-${BUILD}`)
}

/**
 * The folder whose programs are to be run. `KUBEBUILDER_ASSETS` is the convention of envtest: a folder with at least
 * kube-apiserver and etcd, of any version.
 */
export function kubernetesFolder(env = process.env) {
  return env.KUBEBUILDER_ASSETS || kubernetesCache(env)
}

/** Raised when scripts/setup/cadvisor.go changes, or how it is built. */
const CADVISOR_BUILD = 1

/** The folder that the set-up makes for a stand-alone cadvisor, of the version that is in that Kubernetes. */
export function cadvisorCache(env = process.env) {
  return join(kubernetesCache(env), '..', `cadvisor-of-${KUBERNETES_VERSION}-${CADVISOR_BUILD}`)
}

/** The program to be run; `CADVISOR` names one of somebody's own, such as a release of cadvisor. */
export function cadvisorFile(env = process.env) {
  return env.CADVISOR || join(cadvisorCache(env), 'cadvisor')
}
