/** How bad something is, as it is said in a sentence and beside a finding, and of what nothing is known. */
import type { Text } from '../languages.ts'

export const SEVERITY_WORDS = {
  error: { en: 'error', zh: '错误' },
  alarm: { en: 'alarm', zh: '告警' },
  warn: { en: 'warning', zh: '警告' },
  info: { en: 'info', zh: '信息' },
  unknown: { en: 'unknown', zh: '未知' },
  ok: { en: 'ok', zh: '正常' },
  'not-applicable': { en: 'not applicable', zh: '不适用' },
  /** Of a node: nobody hears it, so nothing of it is known. */
  silent: { en: 'silent', zh: '失联' },
} as const satisfies Record<string, Text>
