/** How far a fix has come, and what became of it. */
import type { Text } from '../languages.ts'

export const PHASE_WORDS = {
  proposed: { en: 'proposed', zh: '已提出' },
  'awaiting-approval': { en: 'awaits approval', zh: '待审批' },
  'awaiting-window': { en: 'awaits its window', zh: '待时间窗' },
  refused: { en: 'refused', zh: '被拦下' },
  withdrawn: { en: 'withdrawn', zh: '已撤回' },
  rejected: { en: 'rejected', zh: '已驳回' },
  permitted: { en: 'permitted', zh: '已放行' },
  applying: { en: 'applying', zh: '执行中' },
  verifying: { en: 'verifying', zh: '验证中' },
  verified: { en: 'verified', zh: '已验证' },
  'no-effect': { en: 'no effect', zh: '无效' },
  failed: { en: 'failed', zh: '失败' },
  reverted: { en: 'reverted', zh: '已回退' },
  'revert-failed': { en: 'revert failed', zh: '回退失败' },
  escalated: { en: 'needs a person', zh: '需人工处理' },
} as const satisfies Record<string, Text>
