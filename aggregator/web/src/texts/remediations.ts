/** Fixes: those that were planned or done, and by which rule. */
import type { Text } from '../../../../common/languages.ts'

export const REMEDIATION_TEXTS = {
  title: { en: 'Remediations', zh: '修复' },
  none: { en: 'Nothing was fixed, and nothing was refused.', zh: '没有执行过修复，也没有修复被拦下。' },
  about: { en: '{remediator} for {reason} · {rule} · {at}', zh: '{remediator}，针对 {reason} · {rule} · {at}' },
  rule: {
    en: '{policy} ({mode}), rung {rung}, attempt {attempt}',
    zh: '{policy}（{mode}），第 {rung} 级，第 {attempt} 次',
  },
  /** A plan that nobody is asked about. */
  wouldDo: { en: 'would do', zh: '本应执行' },
  suggested: { en: 'suggested', zh: '已建议' },
} as const satisfies Record<string, Text>
