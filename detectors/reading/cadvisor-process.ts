/** What tells a stand-alone cadvisor from other processes; a container is where it usually runs. */
import { commandsOption, DaemonFinder } from './daemons.ts'

/** Of the image gcr.io/cadvisor/cadvisor (/usr/bin/cadvisor) and of what people build of its releases. */
export const cadvisorCommands = () => commandsOption(['cadvisor'], "a stand-alone cadvisor's", 'anywhere')

export const cadvisorFinder = () => new DaemonFinder('anywhere')
