/** The words of the review of remediation. */
import type { Text } from '../../common/languages.ts'
import { PHASE_WORDS } from '../../common/words/phases.ts'
import type { Outcome } from '../outcomes/model.ts'

/** As headings. */
export const OUTCOME_NAMES: Readonly<Record<Outcome, Text>> = {
  verified: { ...PHASE_WORDS.verified, en: 'Verified' },
  'no-effect': { ...PHASE_WORDS['no-effect'], en: 'No effect' },
  failed: { ...PHASE_WORDS.failed, en: 'Failed' },
  reverted: { ...PHASE_WORDS.reverted, en: 'Reverted' },
  'revert-failed': { ...PHASE_WORDS['revert-failed'], en: 'Revert failed' },
}

export const REVIEW = {
  subject: {
    en: '{fleet} remediation review (verified: {verified}, reverted: {reverted}, failed: {failed})',
    zh: '{fleet} 修复回顾(已验证:{verified} 已回退:{reverted} 失败:{failed})',
  },
  title: { en: '{fleet} · remediation review', zh: '{fleet} · 修复回顾' },
  when: { en: '{since} to {until}', zh: '{since} 至 {until}' },
  faults: { en: 'faults: {faults}, verdicts: {verdicts}', zh: '{faults} 个故障，{verdicts} 个判定' },
  detected: { en: 'MTTD', zh: '平均发现' },
  repaired: { en: 'MTTR', zh: '平均恢复' },
  soon: { en: '1. How soon', zh: '一、时效' },
  what: { en: 'From - to', zh: '起止' },
  count: { en: 'Count', zh: '次数' },
  mean: { en: 'Mean', zh: '平均' },
  median: { en: 'Median', zh: '中位' },
  worst: { en: 'Worst', zh: '最长' },
  detectFindings: { en: 'fault began - seen', zh: '故障发生 - 发现' },
  detectVerdicts: { en: 'node fell silent - verdict', zh: '节点失联 - 判定' },
  repairFindings: { en: 'fault seen - over', zh: '故障发现 - 消除' },
  repairVerdicts: { en: 'verdict - node is back', zh: '判定 - 节点恢复' },
  repairFixed: { en: 'fault seen - fix verified', zh: '故障发现 - 修复验证' },
  fixes: { en: '2. What was done', zh: '二、修复结果' },
  remediator: { en: 'Remediator', zh: '修复器' },
  begun: { en: 'Begun', zh: '已执行' },
  noFixes: { en: 'Nothing was begun', zh: '没有执行任何修复' },
  repeated: { en: '3. Who keeps failing', zh: '三、反复出现' },
  noRepeated: {
    en: 'No node and no reason three times or more',
    zh: '没有出现三次及以上的节点或原因',
  },
  times: { en: '{count} ×', zh: '{count} 次' },
  nodes: { en: 'Nodes', zh: '节点' },
  reasons: { en: 'Reasons', zh: '原因' },
  heldBack: { en: '4. What was held back, and why', zh: '四、被拦下的修复及原因' },
  noHeldBack: { en: 'No guard refused anything', zh: '没有被拦下的修复' },
  budgets: { en: 'Budgets that were all but used up', zh: '接近用尽的预算' },
  noBudgets: { en: 'No budget was near its end', zh: '没有预算接近用尽' },
  budget: {
    en: 'took the last place: {last}, had to wait: {refused}',
    zh: '{last} 次占用最后名额，{refused} 次需要等待',
  },
  wouldHave: { en: '5. What auto would have done', zh: '五、若为自动模式' },
  noWouldHave: { en: 'There was nothing for it to do', zh: '没有需要处理的故障' },
  acted: {
    en: 'in mode {mode}, {faults} {faults|fault|faults}; {begun} begun',
    zh: '当前{mode}，{faults} 个故障，已执行 {begun} 次',
  },
  wouldAct: {
    en: 'guards and windows aside it would have begun {more} more',
    zh: '不计保护与时间窗，还会多执行 {more} 次',
  },
  wentAway: {
    en: '{count} {count|was over by itself, within|were over by themselves, half of them within} {median}',
    zh: '{count} 个自行消除，半数在{median}内',
  },
  promote: { en: 'could go to {mode}', zh: '可升为{mode}' },
  demote: { en: 'should go back to {mode}', zh: '应降为{mode}' },
  anyPool: { en: 'no pool', zh: '无节点池' },
  onPage: { en: 'Open the page', zh: '打开页面' },
  days: { en: '{count} d', zh: '{count} 天' },
  hours: { en: '{count} h', zh: '{count} 小时' },
  minutes: { en: '{count} min', zh: '{count} 分' },
  seconds: { en: '{count} s', zh: '{count} 秒' },
} as const satisfies Record<string, Text>
