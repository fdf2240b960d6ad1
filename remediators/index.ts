/** Every remediator that ships with Starling. To add one, write its file and name it here. */
import { clockStep } from './clock-step.ts'
import type { Remediator } from './contract.ts'
import { diskClean } from './disk-clean.ts'
import { logRotateConfig } from './log-rotate-config.ts'
import { nicTune } from './nic-tune.ts'
import { restartUnit } from './restart-unit.ts'
import { sysctl } from './sysctl.ts'

export const builtinRemediators: readonly Remediator[] = [
  sysctl,
  nicTune,
  logRotateConfig,
  restartUnit,
  clockStep,
  diskClean,
]
