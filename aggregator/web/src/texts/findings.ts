/** What detectors found; their sentences come from them as they are. */
import type { Text } from '../../../../common/languages.ts'

export const FINDING_TEXTS = {
  title: { en: 'Findings', zh: '检测结果' },
  about: { en: '{reason} · {check} · since {at}', zh: '{reason} · {check} · 自 {at}' },
  fine: { en: '{count} {count|check is|checks are} fine.', zh: '{count} 项检查正常。' },
  fineAndAbsent: {
    en: '{count} {count|check is|checks are} fine, {absent} not applicable.',
    zh: '{count} 项检查正常，{absent} 项不适用。',
  },
  evidence: { en: 'Evidence', zh: '依据' },
  against: { en: 'against {limit}', zh: '阈值 {limit}' },
} as const satisfies Record<string, Text>
