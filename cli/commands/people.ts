import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { makePerson, PEOPLE_FILE, type Person, personName, RIGHTS, readPeople } from '../../aggregator/people.ts'
import { writePeople } from '../../aggregator/people-file.ts'
import type { Right } from '../../aggregator/remediation-model.ts'
import { StarlingError, UsageError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { STATE_FILE } from '../connection.ts'
import { peopleFileOf } from '../local/layout.ts'
import { addOutputOption, note, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { localTime } from '../text.ts'

interface PeopleOptions {
  readonly file?: string
  readonly dir: string
  readonly output: OutputFormat
}

export function registerPeople(program: Command): void {
  const group = program
    .command('people')
    .description('who may use the API and the page under a name of their own; run it where the aggregator runs')

  const add = group
    .command('add')
    .description('makes a token for somebody and prints it, this once')
    .argument('<name>', 'as it is shown with what they decide', parseName)
    .addOption(new Option('--right <right>', 'how far they may go').choices(RIGHTS).default('approve'))
    .addHelpText(
      'after',
      '\nRights: view looks; approve also decides on fixes and pauses them; admin may do all that the aggregator offers',
    )
    .action(async (name: string, options: PeopleOptions & { right: Right }) => {
      const { right, output } = options
      const file = fileOf(options)
      const people = existsSync(file) ? readPeople(file) : []
      if (people.some((one) => one.name === name)) {
        const remedy = `\`starling people remove ${name}\` first: the token of before is then worth nothing`
        throw new StarlingError(`${name} is there already`, { remedy })
      }
      const { person, token } = makePerson({ name, right }, new Date().toISOString())
      await writePeople(file, [...people, person])
      note(`${name} may ${right} from now on (${file}). This is their token; nobody can find it out again:`)
      if (output === 'json') printJson('PersonList', [{ ...shown(person), token }])
      else print(`${token}\n`)
    })
  addFileOptions(add)

  const list = group
    .command('list')
    .description('all of them, and what they may')
    .action((options: PeopleOptions) => {
      const file = fileOf(options)
      const people = existsSync(file) ? readPeople(file) : []
      if (options.output === 'json') printJson('PersonList', people.map(shown))
      else
        print(
          table(
            ['NAME', 'RIGHT', 'SINCE'],
            people.map(({ name, right, since }) => [name, right, localTime(since)]),
          ),
        )
    })
  addFileOptions(list)

  const remove = group
    .command('remove')
    .description('makes the token of somebody worth nothing, and what they approved and nobody has begun')
    .argument('<name>', 'as `people list` shows it')
    .action(async (name: string, options: PeopleOptions) => {
      const file = fileOf(options)
      const people = existsSync(file) ? readPeople(file) : []
      const removed = people.filter((one) => one.name === name)
      if (removed.length === 0) {
        const meant = nearest(
          name,
          people.map((one) => one.name),
        )
        throw new UsageError(
          `there is no ${name} in ${file}`,
          meant === undefined ? undefined : `did you mean "${meant}"?`,
        )
      }
      await writePeople(
        file,
        people.filter((one) => one.name !== name),
      )
      if (options.output === 'json') printJson('PersonList', removed.map(shown))
      else print(`${name} is known no more (${file})\n`)
    })
  addFileOptions(remove)
}

function addFileOptions(command: Command): void {
  addOutputOption(command)
    .option('--file <file>', `people of the aggregator's configuration, ${PEOPLE_FILE} (env: STARLING_PEOPLE)`)
    .option('--dir <directory>', 'directory of a mesh started by `starling up`, for its people', '.starling')
}

/** As the other commands find their aggregator: what is said, else the mesh that runs from this directory. */
function fileOf({ file = process.env.STARLING_PEOPLE, dir }: PeopleOptions): string {
  return file ?? (existsSync(join(dir, STATE_FILE)) ? peopleFileOf(dir) : PEOPLE_FILE)
}

function shown({ name, right, since }: Person) {
  return { name, right, since }
}

function parseName(text: string): string {
  const { error } = personName.safeParse(text)
  if (error === undefined) return text
  throw new InvalidArgumentError(`A name ${error.issues[0]?.message}.`)
}
