import type { Command } from 'commander'
import { askControl } from '../local/control.ts'
import { print } from '../output.ts'

const ACTIONS = [
  ['kill', 'its host dies: nothing answers any more'],
  ['kill-agent', 'its agent dies, its host goes on'],
  ['hang', 'its host hangs: ports accept, nothing answers'],
  ['resume', 'it goes on where it was; a killed agent is started again'],
] as const

export function registerChaos(program: Command): void {
  const chaos = program.command('chaos').description('stages faults on a node of a local mesh')
  for (const [action, description] of ACTIONS) {
    chaos
      .command(action)
      .description(description)
      .argument('<node>', 'name of the node')
      .option('--dir <folder>', 'folder of the local mesh', '.starling')
      .action(async (node: string, { dir }: { dir: string }) => {
        print(`${await askControl(dir, action, node)}\n`)
      })
  }
}
