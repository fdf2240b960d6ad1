/** How far a fix goes by itself, as policies say it. */
import type { Text } from '../languages.ts'

export const MODE_WORDS = {
  observe: { en: 'observe', zh: '只观察' },
  suggest: { en: 'suggest', zh: '只建议' },
  approve: { en: 'approve', zh: '需审批' },
  auto: { en: 'auto', zh: '自动' },
} as const satisfies Record<string, Text>
