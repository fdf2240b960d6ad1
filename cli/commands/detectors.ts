import { basename, extname, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationMs, isDuration } from '../../common/duration.ts'
import { ExitCode, UsageError } from '../../common/errors.ts'
import { silentLog } from '../../common/log.ts'
import { nearest } from '../../common/nearest.ts'
import { describeTouches, optionsOf } from '../../detectors/catalogue.ts'
import type { Detector, Host } from '../../detectors/contract.ts'
import { unenforced } from '../../detectors/host/bubblewrap.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { PLUGINS_FOLDER } from '../../plugins/place.ts'
import { PluginShelf } from '../../plugins/shelf.ts'
import { hostAt, type Look, lookOnce, readOptions } from '../detectors/look.ts'
import { markOf, renderDetector, renderLook } from '../detectors/render.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { progressOn } from '../sim/progress.ts'
import { table, terminalRoom } from '../table.ts'

interface Place {
  readonly plugins: string
  readonly pluginPackage: readonly string[]
  readonly hostRoot: string
  readonly output: OutputFormat
}

interface RunOptions extends Place {
  readonly all?: true
  readonly options: readonly string[]
  /** ms */
  readonly again?: number
}

/** A detector, and where it comes from. */
interface Known {
  readonly detector: Detector
  readonly source: string
}

const EXIT_CODES =
  '\nExit codes: 0 fine or not applicable, 3 when there is an error or an alarm, 4 when the worst is a warning,' +
  '\n1 when it could not look, 2 usage'

export function registerDetectors(program: Command): void {
  const detectors = program.command('detectors').description('what is looked for on a host, and a look at it now')
  withPlace(detectors.command('list').description('every detector, built in and from plugins')).action(list)
  withPlace(detectors.command('show').description('all about one detector').argument('<name>')).action(show)
  withPlace(
    detectors
      .command('run')
      .description('one look at this host, or at one that is recorded or mounted in a folder')
      .argument('[name]'),
  )
    .option('--all', 'every detector')
    .option('--options <file|key=value>', 'options of the detector; may be given again', collect, [])
    .option('--again <duration>', 'looks a second time after this, for what only a difference shows', parseDuration)
    .addHelpText('after', EXIT_CODES)
    .action(run)
}

function collect(word: string, before: readonly string[]): readonly string[] {
  return [...before, word]
}

function withPlace(command: Command): Command {
  return addOutputOption(command)
    .addOption(new Option('--plugins <folder>', 'where plugins are').default(PLUGINS_FOLDER))
    .option('--plugin-package <name>', 'an npm package that is a plugin; may be given again', collect, [])
    .addOption(
      new Option(
        '--host-root <folder>',
        'the root of the host to look at; with a host.json in it, a recorded host',
      ).default('/'),
    )
}

async function list(place: Place): Promise<void> {
  const { hostRoot, output } = place
  const { known, problems } = await allDetectors(place)
  const host = hostAt(hostRoot)
  const items = await Promise.all(
    known.map(async ({ detector, source }) => {
      const missing = await host.missing(detector.needs)
      const item = await described({ detector, source })
      const ready = item.unenforced === undefined ? 'ready' : `ready, but ${item.unenforced}`
      return { ...item, state: missing.length === 0 ? ready : `lacks ${missing.join(', ')}` }
    }),
  )
  if (output === 'json') printJson('DetectorList', items)
  else {
    const rows = items.map(({ name, summary, every, source, state }) => [
      name,
      every,
      state === 'ready' ? { text: state, style: 'green' as const } : { text: state, style: 'yellow' as const },
      source,
      summary,
    ])
    print(table(['NAME', 'EVERY', 'STATE', 'FROM', 'WHAT'], rows, terminalRoom()))
  }
  for (const { source, why } of problems) note(`not loaded: ${source}: ${why}`)
}

async function show(name: string, place: Place): Promise<void> {
  const known = find(name, await allDetectors(place))
  if (place.output === 'json') printJson('Detector', [await described(known)])
  else print(renderDetector(known.detector, known.source, await unenforced(known.detector.touches)))
}

async function run(name: string | undefined, options: RunOptions): Promise<void> {
  if ((name === undefined) === (options.all === undefined)) {
    throw new UsageError('say which detector', 'give its name, or --all; starling detectors list has them')
  }
  const all = await allDetectors(options)
  const { known } = all
  const host = hostAt(options.hostRoot)
  if (name !== undefined) {
    const { detector } = find(name, all)
    const wanted = readOptions(detector, options.options)
    const first = await lookOnce(detector, host, wanted)
    const look = options.again === undefined ? first : await lookAgain(detector, host, wanted, first, options.again)
    if (options.output === 'json') printJson('DetectorLook', [look])
    else print(renderLook(detector, look))
    process.exitCode = exitCodeOf([look])
    return
  }
  if (options.options.length > 0) throw new UsageError('--options are those of one detector', 'give its name')
  const progress = progressOn(process.stderr, 'looking')
  const looks: Look[] = []
  for (const { detector } of known) {
    progress.show(looks.length / known.length)
    looks.push(await lookOnce(detector, host, detector.options.parse({})))
  }
  progress.end()
  if (options.output === 'json') printJson('DetectorLook', looks)
  else print(table(['STATUS', 'DETECTOR', 'REASON', 'SUMMARY'], looks.flatMap(rowsOf)))
  process.exitCode = exitCodeOf(looks)
}

async function lookAgain(
  detector: Detector,
  host: Host,
  options: unknown,
  first: Look,
  afterMs: number,
): Promise<Look> {
  await wait(afterMs)
  return await lookOnce(detector, host, options, first.facts)
}

function parseDuration(text: string): number {
  if (isDuration(text)) return durationMs(text)
  throw new InvalidArgumentError('Write a number and ms, s, m, h or d, as in 30s.')
}

function rowsOf({ detector, status, why, judgements }: Look) {
  if (judgements.length === 0) return [[markOf(status), detector, '', why === '' ? 'nothing to report' : why]]
  return judgements.map(({ reason, summary }, index) => [
    index === 0 ? markOf(status) : ' ',
    index === 0 ? detector : ' ',
    reason,
    summary,
  ])
}

function exitCodeOf(looks: readonly Look[]): ExitCode {
  const has = (...statuses: Look['status'][]) => looks.some(({ status }) => statuses.includes(status))
  if (has('error', 'alarm')) return ExitCode.problem
  if (has('unknown')) return ExitCode.error
  return has('warn') ? ExitCode.warnings : ExitCode.ok
}

async function allDetectors({ plugins, pluginPackage }: Place) {
  const shelf = await PluginShelf.load({ folder: resolve(plugins), packages: pluginPackage }, silentLog)
  const known: Known[] = [
    ...builtinDetectors.map((detector) => ({ detector, source: 'built in' })),
    ...shelf.plugins.flatMap(({ source, detectors }) => detectors.map((detector) => ({ detector, source }))),
  ]
  return { known, problems: shelf.problems }
}

function find(name: string, { known, problems }: Awaited<ReturnType<typeof allDetectors>>): Known {
  const found = known.find(({ detector }) => detector.name === name)
  if (found !== undefined) return found
  const broken = problems.find(({ source }) => basename(source, extname(source)) === name)
  if (broken !== undefined) throw new UsageError(`${broken.source} was not loaded`, broken.why)
  const meant = nearest(
    name,
    known.map(({ detector }) => detector.name),
  )
  throw new UsageError(
    `there is no detector ${name}`,
    meant === undefined ? 'starling detectors list has them' : `did you mean "${meant}"?`,
  )
}

async function described({ detector, source }: Known) {
  const { name, summary, every, timeout, needs, touches, reasons } = detector
  return {
    name,
    source,
    summary,
    every,
    timeout,
    needs,
    touches,
    touchesInWords: describeTouches(touches),
    /** What of that does not hold on this host. */
    unenforced: await unenforced(touches),
    reasons,
    options: optionsOf(detector),
  }
}
