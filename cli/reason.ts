/** Why a person decides something: asked for by every command that does. */
import { type Command, InvalidArgumentError } from 'commander'

export function addReasonOption(command: Command): Command {
  return command.requiredOption('--reason <text>', 'kept with the decision', (text: string) => {
    if (text.trim() === '') throw new InvalidArgumentError('Say why.')
    return text
  })
}
