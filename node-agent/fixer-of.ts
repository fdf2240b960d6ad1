/** The fixer that this agent's configuration names. */
import { messageOf } from '../common/errors.ts'
import type { Logger } from '../common/pino-log.ts'
import { type FixerHands, fixerHands } from '../fixer/hands.ts'
import type { AgentConfig } from './config.ts'

/** Undefined where none is named. One that is not there yet is only logged: it is looked for again with every fix. */
export function fixerOf({ fixer }: Pick<AgentConfig, 'fixer'>, log: Logger): FixerHands | undefined {
  if (fixer === 'off' || fixer === 'here') return undefined
  const hands = fixerHands(fixer)
  hands.hello().then(
    (remediators) => log.info({ fixer, remediators }, 'a fixer answers'),
    (error: unknown) => log.warn({ fixer, err: messageOf(error) }, 'no fixer answers'),
  )
  return hands
}
