/** The words of reports. */
import type { Text } from '../../common/languages.ts'
import type { Column } from '../../inspection/model.ts'
import { COLUMN_TEXTS, INSPECTION_TEXTS } from '../../inspection/texts.ts'

/** The columns, as briefly as a phone has room for. */
export const COLUMN_NAMES: Readonly<Record<Column, Text>> = {
  ...COLUMN_TEXTS,
  info: { en: 'Fine / info', zh: '正常/信息' },
  unknown: { ...COLUMN_TEXTS.unknown, en: 'Unkn.' },
}

/** The same where there is room. */
export const FIGURE_NAMES: Readonly<Record<Column, Text>> = {
  ...COLUMN_TEXTS,
  error: { ...COLUMN_TEXTS.error, en: 'Errors' },
  alarm: { ...COLUMN_TEXTS.alarm, en: 'Alarms' },
  warn: { ...COLUMN_TEXTS.warn, en: 'Warnings' },
}

export const INSPECTION = {
  subject: {
    en: '{fleet} {role} inspection (errors: {error}, alarms: {alarm}, warnings: {warn}{more})',
    zh: '{fleet} {role}巡检(错误:{error} 告警:{alarm} 警告:{warn}{more})',
  },
  some: { en: 'yes {count}', zh: '有 {count}' },
  none: { en: 'none', zh: '无' },
  moreUnknown: { en: ', unknown: yes {count}', zh: ' 未知:有 {count}' },
  moreSilent: { en: ', silent: yes {count}', zh: ' 失联:有 {count}' },
  title: { en: '{fleet} · {role} inspection', zh: '{fleet} · {role}巡检' },
  when: {
    en: '{at} · {nodes} {nodes|node|nodes}, {heard} heard from',
    zh: '{at} · 共 {nodes} 个节点，{heard} 个有应答',
  },
  againstBefore: { en: 'Changes are against {at}', zh: '变化为与 {at} 相比' },
  noBefore: { en: 'There is no earlier inspection to compare with', zh: '没有可供比较的上次巡检' },
  brief: { en: '1. Brief', zh: '一、概要' },
  check: { ...INSPECTION_TEXTS.check, en: 'Check' },
  allGood: {
    en: 'Nothing wrong in {count} {count|check|checks} on the nodes heard from',
    zh: '有应答的节点上，{count} 项检查均未发现问题',
  },
  restGood: { en: 'Nothing wrong in {count} more: {checks}', zh: '其余 {count} 项未发现问题：{checks}' },
  silentBrief: { en: '{count} silent', zh: '{count} 个节点失联' },
  silentWhys: { en: 'not counted as healthy ({whys})', zh: '不计为正常（{whys}）' },
  silentWhy: { en: '{why}: {count}', zh: '{why} {count} 个' },
  noNodes: { en: 'There are no nodes of this role', zh: '没有该角色的节点' },
  notInspected: { en: 'The profile has no such role', zh: '巡检配置中没有该角色' },
  details: { en: '2. Details', zh: '二、详情' },
  noDetails: { en: 'Nothing to tell', zh: '无' },
  checkTitle: { en: '{check} · {count}', zh: '{check} · {count}' },
  moreNodes: { en: '{count} more {count|node|nodes}', zh: '另有 {count} 个节点' },
  moreTroubles: { en: '{count} more {count|is|are} told of on the page only', zh: '另有 {count} 条详情仅在页面上显示' },
  moreFindings: { en: '{summary} (and {count} more)', zh: '{summary}（另有 {count} 条）' },
  andMore: { en: '{nodes} and {count} {count|other|others}', zh: '{nodes} 等，此外还有 {count} 个' },
  onPage: { en: 'Open this inspection on the page', zh: '在页面上打开本次巡检' },
  fromState: { en: 'From what nodes had said by then', zh: '依据各节点此前上报的状态' },
  fresh: { en: 'Every node looked anew for this', zh: '各节点为本次巡检重新检查' },
} as const satisfies Record<string, Text>
