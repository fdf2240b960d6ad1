/**
 * Simulates every scenario with seed after seed: `npm run sim:all -- [--hours H] [--seeds A..B] [--scenario NAME,...]
 * [--out FILE]`. Each run becomes a line of JSON at the end of FILE; the table is over all lines of this protocol's version
 * that FILE holds. It ends with 3 when an outcome was not met.
 */
import { parseArgs } from 'node:util'
import { ExitCode, messageOf, StarlingError, UsageError } from '../../common/errors.ts'
import { type Campaign, campaignOf, lineOf, runCampaign } from './campaign.ts'
import { markdown, sumOf } from './record.ts'

const HOURS = 2
/** Seeds that were named are all run, however long it takes. */
const HOURS_FOR_SEEDS = 1_000

async function main(argv: string[]): Promise<number> {
  const campaign = campaignFrom(argv)
  const { records, done } = await runCampaign(campaign, (record) => process.stderr.write(`${lineOf(record)}\n`))
  process.stdout.write(markdown(campaign.names.map((name) => sumOf(name, records)).filter(({ runs }) => runs > 0)))
  return done.every(({ met }) => met) ? ExitCode.ok : ExitCode.problem
}

function campaignFrom(argv: string[]): Campaign {
  const text = { type: 'string' } as const
  try {
    const { values } = parseArgs({ args: argv, options: { hours: text, seeds: text, scenario: text, out: text } })
    const { seeds, scenario: scenarios, out } = values
    const hours = Number(values.hours ?? (seeds === undefined ? HOURS : HOURS_FOR_SEEDS))
    return campaignOf({ scenarios, seeds, hours, out })
  } catch (error) {
    if (error instanceof StarlingError) throw error
    throw new UsageError(
      messageOf(error),
      'npm run sim:all -- [--hours H] [--seeds A..B] [--scenario NAME,...] [--out FILE]',
    )
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof StarlingError)) throw error
  process.stderr.write(`${error.message}\n${error.remedy ?? ''}\n`)
  process.exitCode = error.exitCode
}
