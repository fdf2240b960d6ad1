/** A custom-plugin-monitor: each of its checks becomes a plugin of its own. */
import { resolve } from 'node:path'
import type { CustomConfig } from './config.ts'
import type { Draft, ImportOptions } from './draft.ts'
import { distinct, inWords, kebab, reasonName } from './names.ts'

type Rule = CustomConfig['rules'][number]

/** Rules that run the same program for the same reason: usually one for the event and one for the condition. */
interface Check {
  readonly rule: Rule
  readonly conditions: readonly string[]
}

export function fromCustom(config: CustomConfig, { folder }: ImportOptions): Draft {
  const notes: string[] = generalNotes(config)
  const names = new Set<string>()
  const reasons = new Set<string>()
  const manifests = checksOf(config.rules).map(({ rule, conditions }) => {
    const reason = distinct(reasonName(rule.reason), reasons)
    reasons.add(reason)
    if (reason !== rule.reason) notes.push(`${rule.reason} is called ${reason}: a reason means one thing here`)
    const name = distinct(kebab(rule.reason) || kebab(config.source) || 'plugin', names, '-')
    names.add(name)
    const program = resolve(folder, rule.path)
    if (program !== rule.path) notes.push(`${name}: ${rule.path} is taken for ${program}`)
    const { everyMs, timeoutMs } = timesOf(config, rule)
    if (timeoutMs < (rule.timeout ?? config.pluginConfig.timeout)) {
      notes.push(`${name}: its timeout is cut to its interval, ${inWords(everyMs)}`)
    }
    if (rule.args?.some((arg) => /^--?enable-repair(=true)?$/.test(arg)) === true) {
      notes.push(`${name}: it restarts what it finds at fault (--enable-repair); that is for remediators to decide`)
    }
    return {
      name,
      version: '1.0.0',
      summary: summaryOf(config, rule, conditions),
      dialect: 'npd',
      command: [program, ...(rule.args ?? [])],
      every: inWords(everyMs),
      timeout: inWords(timeoutMs),
      // As there: the programs it ships read what only root may.
      user: 'agent',
      // What it opens, runs and writes is not known, and there it might do all of it.
      touches: { paths: ['/**'], commands: ['/**'], writes: ['/**'] },
      states: { problem: reason },
      reasons: {
        [reason]: {
          severity: conditions.length > 0 ? 'alarm' : 'warn',
          summary: conditions.length > 0 ? `${conditions.join(', ')}: ${rule.reason}.` : `${rule.reason}.`,
          runbook: `Run ${[program, ...(rule.args ?? [])].join(' ')} on the node: it says what it found.`,
        },
      },
    }
  })
  return { manifests, notes: [...notes, ...sharedConditions(config)], leftOut: [] }
}

function checksOf(rules: readonly Rule[]): readonly Check[] {
  const checks = new Map<string, { rule: Rule; conditions: string[] }>()
  for (const rule of rules) {
    const key = JSON.stringify([rule.path, rule.args ?? [], rule.reason])
    const check = checks.get(key) ?? { rule, conditions: [] }
    checks.set(key, check)
    if (rule.type === 'permanent' && rule.condition !== undefined) check.conditions.push(rule.condition)
  }
  return [...checks.values()]
}

function timesOf({ pluginConfig }: CustomConfig, rule: Rule) {
  // Here nothing looks more often than each second.
  const everyMs = Math.max(1_000, rule.invoke_interval ?? pluginConfig.invoke_interval)
  return { everyMs, timeoutMs: Math.min(everyMs, rule.timeout ?? pluginConfig.timeout) }
}

function summaryOf({ source, conditions }: CustomConfig, rule: Rule, own: readonly string[]): string {
  const fine = conditions.find(({ type }) => own.includes(type))?.message
  return `Whether ${rule.reason} is found, by ${rule.path}${fine ? `; otherwise "${fine}"` : ''} (${source}).`.slice(
    0,
    500,
  )
}

function generalNotes({ pluginConfig, metricsReporting, conditions }: CustomConfig): string[] {
  const { max_output_length: cut, concurrency, skip_initial_status: skip } = pluginConfig
  return [
    'exit code 2 and above, a timeout and a signal are unknown: they raise no event, change no condition and end none',
    ...(conditions.length > 0
      ? ['conditions are not set by name: a fault is reported under its reason and ends when it is seen gone']
      : []),
    ...(cut === undefined ? [] : [`messages are cut to 500 characters, not to ${cut}`]),
    ...(concurrency === undefined ? [] : ['each check runs at its own interval, not so many of them at a time']),
    ...(skip === undefined ? [] : ['nothing is reported before the first look, so there is no first status to skip']),
    ...(pluginConfig.enable_message_change_based_condition_update === true
      ? ['a new message of the same fault is always shown, and is no new fault']
      : []),
    ...(metricsReporting === undefined ? [] : ['metrics are those of every detector']),
  ]
}

function sharedConditions({ rules, conditions }: CustomConfig): readonly string[] {
  return conditions.flatMap(({ type }) => {
    const reasons = new Set(rules.filter((rule) => rule.condition === type).map(({ reason }) => reason))
    if (reasons.size < 2) return []
    return [`${type} had ${reasons.size} checks, of which the last to end won: each is reported for itself`]
  })
}
