/** The front door of all benches: `npm run -s bench -- NAME [--json] [options]`; without a name it lists them. */
import { runBenchCommand } from './command.ts'
import { BENCHES } from './index.ts'

process.exitCode = await runBenchCommand(process.argv.slice(2), BENCHES, process)
