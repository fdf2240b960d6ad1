/** A system-log-monitor: one plugin that follows its log. */
import { messageOf } from '../../../common/errors.ts'
import { requiredLiterals } from '../../logs/pattern-syntax.ts'
import type { LogConfig } from './config.ts'
import type { Draft } from './draft.ts'
import { type Expression, fromGo } from './expressions.ts'
import { kebab, reasonName } from './names.ts'

type Rule = LogConfig['rules'][number]

/** An event there is over when it was told. */
const TEMPORARY_HOLD = '10m'
/** A condition there is never over. A day without another such line is taken for its end. */
const PERMANENT_HOLD = '1d'

const JOURNALS = ['/var/log/journal', '/run/log/journal']

export function fromLog(config: LogConfig): Draft {
  const name = kebab(config.source) || 'log-monitor'
  const notes = generalNotes(config)
  const leftOut: string[] = []
  const rules = config.rules.flatMap((rule) => {
    try {
      return [{ rule, expression: expressionOf(rule) }]
    } catch (error) {
      leftOut.push(`${rule.reason}: its pattern ${JSON.stringify(rule.pattern)} ${messageOf(error)}`)
      return []
    }
  })
  if (rules.length === 0) return { manifests: [], notes, leftOut }
  const manifest = {
    name,
    version: '1.0.0',
    summary: `What ${config.source} looks for in ${whereOf(config)}.`,
    dialect: 'log',
    source: sourceOf(config),
    every: '15s',
    rules: rules.map(({ rule, expression }) => ruleOf(rule, expression)),
    reasons: reasonsOf(rules.map(({ rule }) => rule)),
  }
  return { manifests: [manifest], notes, leftOut }
}

function expressionOf({ pattern }: Rule): Expression {
  const expression = fromGo(pattern)
  requiredLiterals(expression.pattern)
  return expression
}

function ruleOf(rule: Rule, { pattern, ignoreCase }: Expression) {
  return {
    pattern,
    ...(ignoreCase ? { ignoreCase } : {}),
    reason: reasonName(rule.reason),
    hold: rule.type === 'permanent' ? PERMANENT_HOLD : TEMPORARY_HOLD,
  }
}

/** Several rules of one reason are one fault with many faces; if one of them is of a condition, it is as bad as that. */
function reasonsOf(rules: readonly Rule[]): Record<string, object> {
  return Object.fromEntries(
    rules.map(({ reason }) => {
      const conditions = new Set(
        rules.flatMap((rule) => (rule.reason === reason && rule.type === 'permanent' ? [rule.condition ?? ''] : [])),
      )
      const isLasting = conditions.size > 0
      const about = {
        severity: isLasting ? 'alarm' : 'warn',
        summary: isLasting ? `${[...conditions].join(', ')}: ${reason}.` : `${reason}.`,
        runbook: 'The line of the log is in the finding; look at what stands around it.',
      }
      return [reasonName(reason), about]
    }),
  )
}

function sourceOf({ plugin, pluginConfig, logPath }: LogConfig): object {
  if (plugin === 'kmsg') return { from: 'kmsg' }
  if (plugin === 'journald') {
    const { source } = pluginConfig
    return { from: 'journal', fields: source === undefined ? {} : { SYSLOG_IDENTIFIER: source } }
  }
  const { timestamp } = pluginConfig
  return { from: 'file', path: logPath ?? '', ...(timestamp === undefined ? {} : { timestamp }) }
}

function whereOf({ plugin, pluginConfig, logPath }: LogConfig): string {
  if (plugin === 'kmsg') return "the kernel's log"
  return plugin === 'journald' ? `the journal of ${pluginConfig.source ?? 'all'}` : (logPath ?? 'its file')
}

function generalNotes(config: LogConfig): string[] {
  const { plugin, pluginConfig, logPath, lookback, bufferSize, rules, skipList } = config
  const otherJournal = plugin === 'journald' && logPath !== undefined && !JOURNALS.includes(logPath)
  return [
    `an event is reported for ${TEMPORARY_HOLD} after its line; until then each such line renews it`,
    ...(rules.some(({ type }) => type === 'permanent')
      ? [
          `a condition is reported for ${PERMANENT_HOLD} after its last line, where node-problem-detector keeps it for good; ` +
            'add `clear: PATTERN` to a rule whose end the log tells of',
        ]
      : []),
    'lines that could not all be read make it unknown, and are not passed over in silence',
    ...(lookback === undefined && config.delay === undefined
      ? []
      : ['at its start it looks back as far as a rule is held, not by lookback; nothing waits for delay']),
    ...(bufferSize === undefined ? [] : ['each line is looked at for itself: there is no buffer of several']),
    ...(skipList === undefined ? [] : ['lines of skipList are looked at like others']),
    ...(plugin === 'kmsg' && logPath !== undefined && logPath !== '/dev/kmsg' ? ['the log is /dev/kmsg'] : []),
    ...(otherJournal ? [`the journal is the host's own, not ${logPath}`] : []),
    ...(pluginConfig.message === undefined
      ? []
      : ['patterns are held against whole lines, not only against what `message` takes out of them']),
    ...(pluginConfig.timestampFormat === undefined
      ? []
      : ['times are read as RFC 3339 or as syslog writes them, whatever `timestampFormat` says']),
    ...(config.metricsReporting === undefined ? [] : ['metrics are those of every detector']),
  ]
}
