/** What the leader asks before it lets a fix begin. */
import type { Text } from '../../../../common/languages.ts'

export const GUARD_TEXTS = {
  sayNo: { en: '{count} {count|guard says|guards say} no.', zh: '{count} 项保护规则未通过。' },
  sayNoUntil: {
    en: '{count} {count|guard says|guards say} no since {since}; asked again at {again} while the fault lasts.',
    zh: '自 {since} 起 {count} 项保护规则未通过；若故障持续，{again} 再次检查。',
  },
  asked: { en: 'All guards that were asked', zh: '已检查的全部保护规则' },
  neverAsked: { en: 'The leader has not been asked for a permit.', zh: '尚未向主聚合器申请许可。' },
  permitted: {
    en: 'Permitted at {at}: {allowed} of {of} {of|guard allows|guards allow} it.',
    zh: '{at} 已放行：{of} 项保护规则中 {allowed} 项通过。',
  },
  notPermitted: {
    en: 'Not permitted at {at}: {allowed} of {of} {of|guard allows|guards allow} it.',
    zh: '{at} 未放行：{of} 项保护规则中 {allowed} 项通过。',
  },
  /** For who listens: the eye sees a mark. */
  allows: { en: 'allows it:', zh: '通过：' },
  saysNo: { en: 'says no:', zh: '未通过：' },
} as const satisfies Record<string, Text>
