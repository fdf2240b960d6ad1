/** Each command is loaded by its first word alone, so that must be its name. */
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../cli/commands/index.ts'

test.each([...COMMANDS])('%s is what is loaded for it', async (word, load) => {
  const program = new Command('starling')
  ;(await load())(program)
  expect(program.commands.map((command) => command.name())).toEqual([word])
})
