/** The policies in force: what is done about which findings, where and when. */
import type { Text } from '../../../../common/languages.ts'

export const POLICY_TEXTS = {
  title: { en: 'Policies in force, of settings v{version}', zh: '生效策略（配置 v{version}）' },
  none: { en: 'There are none: each remediator goes by its own mode.', zh: '没有策略：各修复器按自身模式运行。' },
  at: { en: '{reason} at {severity}', zh: '{reason}（{severity}）' },
  everywhere: { en: 'on every node', zh: '所有节点' },
  upTo: { en: '{remediator} up to {count} {count|time|times}', zh: '{remediator} 最多 {count} 次' },
  next: { en: ', then ', zh: '，然后 ' },
  anyTime: { en: 'at any time', zh: '任意时间' },
  window: { en: '{cron} for {duration} ({zone})', zh: '{cron}，持续 {duration}（{zone}）' },
  rests: { en: 'rests for {duration}', zh: '冷却 {duration}' },
} as const satisfies Record<string, Text>

/** What a selector picks nodes by. */
export const SELECTOR_TEXTS = {
  roles: { en: 'roles', zh: '角色' },
  pools: { en: 'pools', zh: '节点池' },
  zones: { en: 'zones', zh: '可用区' },
  nodes: { en: 'nodes', zh: '节点' },
} as const satisfies Record<string, Text>
