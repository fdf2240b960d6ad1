import type { Command } from 'commander'
import { loadConfig } from '../../common/config-file.ts'
import { createLog } from '../../common/pino-log.ts'
import { FIXER_CONFIG_FILE, fixerConfig } from '../../fixer/config.ts'
import { runUntilSignal } from '../lifetime.ts'

export function registerFixer(program: Command): void {
  program
    .command('fixer')
    .description('the process on a node that changes its host, for an agent without the rights to')
    .option('--config <file>', 'configuration file', FIXER_CONFIG_FILE)
    .action(async ({ config: file }: { config: string }) => {
      // Nothing from the environment: what it may do stands in that file alone.
      const config = loadConfig(fixerConfig, { file, fileRequired: true, env: {}, flags: [] })
      const logOf = (node: string) => createLog({ ...config.log, component: 'fixer', node })
      // Only here: with its keys it takes long to load, which the other commands need not wait for.
      const { startFixer } = await import('../../fixer/fixer.ts')
      await runUntilSignal(await startFixer(config, logOf))
    })
}
