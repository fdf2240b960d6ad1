import type { Command } from 'commander'
import { AGGREGATOR_CONFIG_FILE, aggregatorConfig } from '../../aggregator/config.ts'
import { loadConfig } from '../../common/config-file.ts'
import { createLog } from '../../common/pino-log.ts'
import { runUntilSignal } from '../lifetime.ts'

export function registerAggregator(program: Command): void {
  program
    .command('aggregator')
    .description('the process people talk to: leads the mesh, keeps history, serves API and page')
    .option('--config <file>', 'configuration file', AGGREGATOR_CONFIG_FILE)
    .option('--state-dir <folder>', 'identity and roster')
    .option('--http-port <port>', 'port of API and page', Number)
    .option('--log-level <level>', 'debug, info, warn or error')
    .action(
      async (
        options: { config: string; stateDir?: string; httpPort?: number; logLevel?: string },
        command: Command,
      ) => {
        const config = loadConfig(aggregatorConfig, {
          file: options.config,
          fileRequired: command.getOptionValueSource('config') === 'cli',
          env: process.env,
          flags: [
            { from: '--state-dir', path: ['stateDir'], value: options.stateDir },
            { from: '--http-port', path: ['http', 'port'], value: options.httpPort },
            { from: '--log-level', path: ['log', 'level'], value: options.logLevel },
          ],
        })
        const log = createLog({ ...config.log, component: 'aggregator', node: '' })
        // Only here, as in agent.ts.
        const { startAggregator } = await import('../../aggregator/aggregator.ts')
        await runUntilSignal(await startAggregator(config, log))
      },
    )
}
