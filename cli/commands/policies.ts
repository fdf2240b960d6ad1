import { type Command, Option } from 'commander'
import type { MemberView } from '../../aggregator/model.ts'
import { requireMesh } from '../../aggregator/settings-file.ts'
import { UsageError } from '../../common/errors.ts'
import { nearest } from '../../common/nearest.ts'
import { readYamlFile } from '../../common/yaml-file.ts'
import type { Severity } from '../../detectors/contract.ts'
import { builtinDetectors } from '../../detectors/index.ts'
import { builtinRemediators } from '../../remediators/index.ts'
import type { Policy, Window } from '../../remediators/policy/model.ts'
import { type Fault, type Rule, type Rules, ruleFor, whyPassedOver } from '../../remediators/policy/rules.ts'
import { readPolicies } from '../../remediators/policy/schema.ts'
import { isOpen, nextOpening } from '../../remediators/policy/windows.ts'
import type { SettingsDocument } from '../../settings/document.ts'
import { rulesOf } from '../../settings/rules.ts'
import { validateKnownSettings } from '../../settings/validate.ts'
import { type ApiClient, createClient } from '../client.ts'
import { addConnectionOptions, type ConnectionFlags, resolveConnection } from '../connection.ts'
import { addOutputOption, type OutputFormat, print, printJson } from '../output.ts'
import { table } from '../table.ts'
import { localTime, printable } from '../text.ts'

interface CommonOptions extends ConnectionFlags {
  readonly output: OutputFormat
  readonly file?: string
}

interface ExplainOptions extends CommonOptions {
  readonly node: string
  readonly severity?: Severity
}

const FILE = ['--file <file>', 'a settings document, in place of the settings in force'] as const

export function registerPolicies(program: Command): void {
  const group = program.command('policies').description('what may be mended by itself, where and when')

  const list = group
    .command('list')
    .description('the policies, in the order in which they are asked')
    .option(...FILE)
    .action(async (options: CommonOptions) => {
      const { policies: said } = await documentOf(createClient(resolveConnection(options)), options.file)
      const policies = readPolicies(said)
      if (options.output === 'json') printJson('PolicyList', policies)
      else if (policies.length === 0) print('there are no policies: the modes of the remediators decide\n')
      else print(table(['NAME', 'NODES', 'MATCHES', 'MODE', 'LADDER', 'WINDOWS', 'COOL-DOWN'], policies.map(row)))
    })
  addOutputOption(addConnectionOptions(list))

  const explain = group
    .command('explain')
    .description('which rule decides about a reason on a node, before any guard is asked')
    .argument('<reason>', 'of a finding, as ConntrackAlmostFull')
    .requiredOption('--node <name>', 'the node, with its roles, pool and zone in the mesh')
    .option(...FILE)
    .addOption(new Option('--severity <severity>', 'of the reason, if it is one of a plugin').choices(FAULTS))
    .action(async (reason: string, options: ExplainOptions) => {
      const client = createClient(resolveConnection(options))
      const [document, { members }] = await Promise.all([documentOf(client, options.file), client.state()])
      const fault = { node: options.node, reason, status: options.severity ?? severityOf(reason) }
      const { passedOver, decides, rule } = explained(
        rulesOf(document, memberOf(members, options.node), builtinRemediators),
        fault,
      )
      if (options.output === 'json') {
        const ladder = rule?.ladder.map(({ remediator, ...rung }) => ({ ...rung, remediator: remediator.name }))
        printJson('PolicyExplanation', [{ ...fault, passedOver, decides, rule: rule && { ...rule, ladder } }])
      } else {
        const lines = passedOver.map(({ policy, why }) => `${policy} does not decide: ${why}`)
        print([...lines, sentenceOf(rule, decides)].map((line) => `${printable(line)}\n`).join(''))
      }
    })
  addOutputOption(addConnectionOptions(explain))
}

const FAULTS = ['warn', 'alarm', 'error'] as const

/** Names of plugins are not known here, and left to the aggregator, which takes no file that it does not understand. */
async function documentOf(client: ApiClient, file: string | undefined): Promise<SettingsDocument> {
  const { document } = await client.settings()
  if (file === undefined) return document
  const registries = { detectors: builtinDetectors, remediators: builtinRemediators }
  const given = validateKnownSettings(readYamlFile(file).value, file, registries)
  requireMesh(given, file, document.mesh)
  return given
}

function memberOf(members: readonly MemberView[], name: string): MemberView {
  const found = members.find(({ node }) => node === name)
  if (found !== undefined) return found
  const names = members.map(({ node }) => node)
  const meant = nearest(name, names)
  throw new UsageError(`there is no node ${name}`, meant === undefined ? undefined : `did you mean "${meant}"?`)
}

function severityOf(reason: string): Severity {
  const known = new Map(builtinDetectors.flatMap(({ reasons }) => Object.entries(reasons)))
  const found = known.get(reason)
  if (found !== undefined) return found.severity
  const meant = nearest(reason, [...known.keys()])
  const remedy = meant === undefined ? '' : `did you mean "${meant}"? `
  throw new UsageError(`unknown reason "${reason}"`, `${remedy}Of a plugin's reason give --severity as well.`)
}

interface Explained {
  readonly passedOver: readonly { readonly policy: string; readonly why: string }[]
  /** Name of the policy that decides. */
  readonly decides: string | undefined
  readonly rule: Rule | undefined
}

function explained(rules: Rules, fault: Fault): Explained {
  const passedOver: { policy: string; why: string }[] = []
  const decides = rules.policies.find((policy) => {
    const why = whyPassedOver(rules, policy, fault)
    if (why !== undefined) passedOver.push({ policy: policy.name, why })
    return why === undefined
  })
  return { passedOver, decides: decides?.name, rule: ruleFor(rules, fault) }
}

function sentenceOf(rule: Rule | undefined, decides: string | undefined): string {
  if (rule !== undefined) {
    const ladder = rule.ladder.map(({ remediator, attempts }) => rungText(remediator.name, attempts)).join(', then ')
    return `${rule.policy} decides: mode ${rule.mode}, ${ladder}, ${windowText(rule.windows)}`
  }
  return decides === undefined
    ? 'nothing is done: it is no fault, or no remediator that ships with Starling handles it'
    : `${decides} decides, and only plugins that are not known here could do anything`
}

function row({ name, selector, match, mode, ladder, windows, coolDown }: Policy): readonly string[] {
  return [
    name,
    'all' in selector
      ? 'all'
      : Object.entries(selector)
          .map(([kind, names]) => `${kind} ${names.join(',')}`)
          .join('; '),
    match.map(({ reason, severity }) => [reason, severity].filter((part) => part !== undefined).join(' ')).join(', '),
    mode,
    ladder.map(({ remediator, attempts }) => rungText(remediator, attempts)).join(', then '),
    windowText(windows),
    coolDown,
  ]
}

function rungText(remediator: string, attempts: number): string {
  return attempts === 1 ? remediator : `${remediator} ${attempts} times`
}

function windowText(windows: readonly Window[]): string {
  if (windows.length === 0) return 'at any time'
  const now = new Date().toISOString()
  if (isOpen(windows, now)) return 'in a window that is open now'
  const next = nextOpening(windows, now)
  return next === undefined ? 'never' : `in a window, next ${localTime(next)}`
}
