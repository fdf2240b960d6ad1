/** By what the kubelet of a host is known: which processes are it, and where it is meant to run. */

/** Of kubeadm and the clouds; of k3s, agent and server; of MicroK8s. The last three are the kubelet and more in one program. */
export const KUBELET_COMMANDS = ['kubelet', 'k3s agent', 'k3s server', 'kubelite']
/**
 * A kubelet makes this folder when it first starts and leaves it behind, so one that died before the agent came is missed,
 * and a host that never had one is left alone. The folder alone, for an agent without rights cannot look into it.
 */
export const KUBELET_SIGNS = ['/var/lib/kubelet']
