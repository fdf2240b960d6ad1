import type { Command } from 'commander'
import { addOutputOption, type OutputFormat, print, printJson, showProgress } from '../output.ts'

const STORE = '/var/lib/starling/history.sqlite'

export function registerHistory(program: Command): void {
  const group = program.command('history').description("an aggregator's file of history")

  const backup = group
    .command('backup')
    .description('copies it, while the aggregator runs, to a new file that an aggregator can be started with')
    .argument('<file>', 'the copy; it must not exist')
    .option('--store <file>', "the aggregator's store.path", STORE)
    .addHelpText('after', '\nExit codes: 0 copied, 1 error, 2 usage')
    .action(async (file: string, { store, output }: { store: string; output: OutputFormat }) => {
      // Only here, as in agent.ts.
      const { backUp } = await import('../../aggregator/history/backup.ts')
      const progress = showProgress('copying the history')
      const { bytes } = await backUp(store, file, progress.tell).finally(progress.end)
      if (output === 'json') printJson('HistoryBackup', [{ file, store, bytes }])
      else print(`copied to ${file}\n`)
    })
  addOutputOption(backup)
}
