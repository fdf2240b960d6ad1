/** What people are told of, and what is held back. */
import type { Text } from '../../../../common/languages.ts'

export const INCIDENT_TEXTS = {
  title: { en: 'Incidents', zh: '告警事件' },
  none: { en: 'None is open.', zh: '目前没有未恢复的告警事件。' },
  silenced: { en: 'silenced', zh: '已静默' },
  gathers: { en: 'since {at} · gathers what belongs to it', zh: '自 {at} · 正在归并相关告警' },
  nobody: { en: 'since {at} · nobody was told', zh: '自 {at} · 未通知任何人' },
  told: { en: 'since {at} · told: {sinks}', zh: '自 {at} · 已通知：{sinks}' },
  silencedBy: { en: 'silenced by {author} until {until}: {reason}', zh: '{author} 静默至 {until}：{reason}' },
  parts: { en: '{count} {count|part|parts}', zh: '包含 {count} 项' },
} as const satisfies Record<string, Text>
