/** What people are told of incidents, in their languages. */
import { type Language, say, type Text } from '../../common/languages.ts'
import { UNPRINTABLE } from '../../common/unprintable.ts'
import { SEVERITY_WORDS } from '../../common/words/severities.ts'
import { zonedTime } from '../../inspection/zoned-time.ts'
import { nodesOf } from './causes.ts'
import type { Cause, Notification, Symptom } from './model.ts'

/** What is wrong, by key of a symptom's `said`. */
const SYMPTOMS: Readonly<Record<string, Text>> = {
  NodeDown: { en: '{node} is down', zh: '节点 {node} 宕机' },
  HostHung: {
    en: '{node} hangs: its kernel answers, its programs do not',
    zh: '节点 {node} 夯死:内核有响应,程序无响应',
  },
  Isolated: { en: '{node} is cut off from its peers, and lives', zh: '节点 {node} 存活,但与其他节点网络隔离' },
  AgentDown: { en: 'the agent on {node} is down; its host answers', zh: '节点 {node} 的代理停止,主机有响应' },
  Frozen: {
    en: 'marking is frozen: {why}. Silent by zone: {sides}',
    zh: '标记已冻结:{why}。各可用区失联数:{sides}',
  },
  NoQuorum: {
    en: 'the leader reaches no more than half of the mesh: nobody is marked',
    zh: '主聚合器联系不到半数以上的节点:暂停标记',
  },
  Blind: {
    en: 'deaths might go unnoticed: {why} ({count} {count|node|nodes})',
    zh: '可能无法发现宕机:{why}({count} 个节点)',
  },
  SingleCopy: { en: 'what is recorded stands on one disk only: {why}', zh: '事件记录只有一份副本:{why}' },
  Undelivered: { en: '{sink} cannot be told: {why}', zh: '无法通知 {sink}:{why}' },
  LabelUnknown: {
    en: 'rule {rule} says nothing: label {label} of pods is not known: {why}',
    zh: '规则 {rule} 无法判断:Pod 标签 {label} 未知:{why}',
  },
  Measured: { en: '{subject}: {value} (limit {limit}), by {rule}', zh: '{subject}:{value}(阈值 {limit}),规则 {rule}' },
  Test: { en: 'this is a test, nothing is wrong', zh: '这是测试消息,没有故障' },
}

const TITLES = {
  finding: { en: '{reason} on {count} {count|node|nodes}', zh: '{count} 个节点出现 {reason}' },
  one: { en: '{reason} on {node}', zh: '节点 {node} 出现 {reason}' },
  measure: { en: '{reason}: {count} over the limit', zh: '{reason}:{count} 个超过阈值' },
  zone: { en: 'zone {zone}: {count} {count|node is|nodes are} down', zh: '可用区 {zone}:{count} 个节点宕机' },
} as const satisfies Record<string, Text>

export const WORDS = {
  firing: { en: 'FIRING', zh: '触发' },
  resolved: { en: 'RESOLVED', zh: '恢复' },
  test: { en: 'TEST', zh: '测试' },
  continued: { en: 'goes on as part of: {title}', zh: '已并入:{title}' },
  elsewhere: {
    en: 'and other nodes, of which others are told: {count}',
    zh: '另有 {count} 个节点,已通知其他接收方',
  },
  more: { en: 'and {count} more', zh: '等,另有 {count} 项' },
  mesh: { en: 'Mesh', zh: '集群' },
  since: { en: 'Since', zh: '开始时间' },
  until: { en: 'Until', zh: '结束时间' },
  incident: { en: 'Incident', zh: '事件编号' },
  page: { en: 'Page', zh: '页面' },
} as const satisfies Record<string, Text>

/** A name or sentence of a node is on one line, and no longer than this. */
const CHARS_MAX = 500

/** One line, in which nothing is obeyed by whatever shows it. */
export function harmless(text: string): string {
  const line = text.toWellFormed().replace(UNPRINTABLE, ' ')
  return line.length > CHARS_MAX ? `${line.slice(0, CHARS_MAX).toWellFormed()}…` : line
}

/** What is wrong, in one sentence on one line. */
export function sentenceOf({ said }: Pick<Symptom, 'said'>, language: Language): string {
  if (typeof said === 'string') return harmless(said)
  const text = SYMPTOMS[said.text]
  return harmless(text === undefined ? said.text : say(text, language, said.values))
}

/** As `NodeDown: worker-7 is down`. */
export function titleOf({ kind, reason, zone, root, children }: Omit<Cause, 'key'>, language: Language): string {
  if (kind === 'zone') return harmless(say(TITLES.zone, language, { zone, count: nodesOf(children).length }))
  if (root !== undefined) return harmless(`${reason}: ${sentenceOf(root, language)}`)
  const nodes = nodesOf(children)
  const [first] = children
  if (children.length === 1 && first !== undefined && kind === 'measure') {
    return harmless(`${reason}: ${sentenceOf(first, language)}`)
  }
  if (kind === 'measure') return harmless(say(TITLES.measure, language, { reason, count: children.length }))
  if (nodes.length === 1) return harmless(say(TITLES.one, language, { reason, node: nodes[0] ?? '' }))
  return harmless(say(TITLES.finding, language, { reason, count: nodes.length }))
}

/** The head of a message, as `[FIRING] error: NodeDown: worker-7 is down (prod-a)`. */
export function headOf({ state, incident, mesh, language }: Notification): string {
  const title = titleOf(incident, language)
  return `[${say(WORDS[state], language)}] ${say(SEVERITY_WORDS[incident.severity], language)}: ${title} (${harmless(mesh)})`
}

/** What belongs to it, one line each and `max` at most; of the rest the number, and of what others are told. */
export function linesOf({ incident, elsewhere, language }: Notification, max: number): readonly string[] {
  const lines = incident.children.slice(0, max).map((child) => {
    const where = child.at === undefined ? '' : `${harmless(child.at.node)}: `
    const sentence = sentenceOf(child, language)
    return `${sentence.startsWith(where) ? '' : where}${child.kind === 'finding' && child.reason !== incident.reason ? `${child.reason}: ` : ''}${sentence}`
  })
  const more = incident.children.length - lines.length
  if (more > 0) lines.push(say(WORDS.more, language, { count: more }))
  if (elsewhere > 0) lines.push(say(WORDS.elsewhere, language, { count: elsewhere }))
  return lines
}

/** Facts under the lines, as pairs. */
export function factsOf(notification: Notification): readonly (readonly [string, string])[] {
  const { incident, mesh, language, zone, at, state, partOf, link } = notification
  const word = (key: 'mesh' | 'since' | 'until' | 'incident' | 'page') => say(WORDS[key], language)
  return [
    [word('mesh'), harmless(mesh)],
    [word('since'), zonedTime(timeOf(incident.openedAt), zone)],
    ...(state === 'resolved' ? [[word('until'), zonedTime(timeOf(at), zone)] as const] : []),
    ...(partOf === undefined
      ? []
      : [['→', say(WORDS.continued, language, { title: titleOf(partOf, language) })] as const]),
    [word('incident'), harmless(incident.id)],
    ...(link === undefined ? [] : [[word('page'), link] as const]),
  ]
}

/** RFC 3339, as programs read it. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}
