/** Every remediator that ships with Starling. To add one, write its file and name it here. */
import type { Remediator } from './contract.ts'
import { logRotateConfig } from './log-rotate-config.ts'
import { nicTune } from './nic-tune.ts'
import { sysctl } from './sysctl.ts'

export const builtinRemediators: readonly Remediator[] = [sysctl, nicTune, logRotateConfig]
