import type { Command } from 'commander'
import { loadConfig } from '../../common/config-file.ts'
import { createLog } from '../../common/pino-log.ts'
import { AGENT_CONFIG_FILE, agentConfig } from '../../node-agent/config.ts'
import { runUntilSignal } from '../lifetime.ts'

export function registerAgent(program: Command): void {
  program
    .command('agent')
    .description('the process on every node: watches its neighbours, inspects and mends its own host')
    .option('--config <file>', 'configuration file', AGENT_CONFIG_FILE)
    .option('--state-dir <folder>', 'identity, roster, settings and open fixes')
    .option('--log-level <level>', 'debug, info, warn or error')
    .action(async (options: { config: string; stateDir?: string; logLevel?: string }, command: Command) => {
      const config = loadConfig(agentConfig, {
        file: options.config,
        fileRequired: command.getOptionValueSource('config') === 'cli',
        env: process.env,
        flags: [
          { from: '--state-dir', path: ['stateDir'], value: options.stateDir },
          { from: '--log-level', path: ['log', 'level'], value: options.logLevel },
        ],
      })
      const log = createLog({ ...config.log, component: 'agent', node: config.node.name })
      // Only here: with libp2p it takes half a second to load, which the other commands need not wait for.
      const { startAgent } = await import('../../node-agent/agent.ts')
      await runUntilSignal(await startAgent(config, log))
    })
}
