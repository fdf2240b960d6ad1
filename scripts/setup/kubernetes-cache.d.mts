export const KUBERNETES_VERSION: string
export function kubernetesFolder(env?: NodeJS.ProcessEnv): string
export function cadvisorFile(env?: NodeJS.ProcessEnv): string
