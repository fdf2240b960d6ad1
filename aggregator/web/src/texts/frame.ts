/** What stands around all views: the head with its figures, the line to the aggregator, the foot. */
import type { Text } from '../../../../common/languages.ts'
import type { OfficeView } from '../../../model.ts'
import type { Line } from '../live.ts'

export const FRAME_TEXTS = {
  views: { en: 'Views', zh: '视图' },
  mesh: { en: 'Mesh', zh: '集群' },
  inspections: { en: 'Inspections', zh: '巡检' },
  language: { en: 'Language', zh: '语言' },
  right: { en: 'right: {right}', zh: '权限：{right}' },
  version: {
    en: 'Starling {version} · epoch {epoch} · times in {zone}',
    zh: 'Starling {version} · 纪元 {epoch} · 时区 {zone}',
  },
} as const satisfies Record<string, Text>

export const LINE_TEXTS: Readonly<Record<Line, Text>> = {
  live: { en: 'live', zh: '实时' },
  connecting: { en: 'connecting', zh: '连接中' },
  'no-token': { en: 'signed out', zh: '未登录' },
  stale: { en: 'data is stale since {at}, reconnecting', zh: '自 {at} 起数据未更新，正在重连' },
}

export const ROLE_TEXTS: Readonly<Record<OfficeView['role'], Text>> = {
  starts: { en: 'starting', zh: '启动中' },
  'stands-by': { en: 'stands by', zh: '备用' },
  'takes-over': { en: 'taking over', zh: '接管中' },
  leads: { en: 'leads', zh: '主用' },
}

export const FIGURE_TEXTS = {
  alive: { en: 'alive', zh: '存活' },
  aliveOf: { en: '{count} of {of}', zh: '{count} / {of}' },
  suspected: { en: 'suspected', zh: '疑似失联' },
  down: { en: 'down', zh: '异常节点' },
  alarms: { en: 'alarms', zh: '错误与告警' },
  needYou: { en: 'need you', zh: '待处理' },
  leader: { en: 'leader', zh: '主聚合器' },
  nobody: { en: 'none', zh: '无' },
  marking: { en: 'marking', zh: '标记模式' },
  writes: { en: 'writes', zh: '写入' },
  possible: { en: 'possible', zh: '可写' },
  stalled: { en: 'stalled', zh: '受阻' },
  settings: { en: 'settings v{version}', zh: '配置 v{version}' },
  onNewest: { en: 'on {count}', zh: '{count} 个节点' },
  onItsWay: { en: 'v{version} on {count}', zh: 'v{version} 在 {count} 个节点' },
  halted: { en: 'v{version} halted on {count}', zh: 'v{version} 已中止，在 {count} 个节点' },
} as const satisfies Record<string, Text>
