export function machineFolder(env?: NodeJS.ProcessEnv): string
