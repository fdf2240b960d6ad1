import type { Command } from 'commander'
import { print, showProgress } from '../output.ts'

const STORE = '/var/lib/starling/history.sqlite'

export function registerHistory(program: Command): void {
  const group = program.command('history').description("an aggregator's file of history")

  group
    .command('backup')
    .description('copies it, while the aggregator runs, to a new file that an aggregator can be started with')
    .argument('<file>', 'the copy; it must not exist')
    .option('--store <file>', "the aggregator's store.path", STORE)
    .action(async (file: string, { store }: { store: string }) => {
      // Only here, as in agent.ts.
      const { backUp } = await import('../../aggregator/history/backup.ts')
      const progress = showProgress('copying the history')
      try {
        await backUp(store, file, progress.tell)
      } finally {
        progress.end()
      }
      print(`copied to ${file}\n`)
    })
}
