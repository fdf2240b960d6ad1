/** What waits for a person, and what that person can say. */
import type { Text } from '../../../../common/languages.ts'
import type { Reach, Risk } from '../../../../remediators/contract.ts'

export const APPROVAL_TEXTS = {
  title: { en: 'Needs you', zh: '待您处理' },
  findingOver: { en: 'the finding behind it has ended or expired', zh: '对应的检测结果已结束或过期' },
  waits: { en: 'Waits since {at}: {why}. {rule}. Plan {plan}.', zh: '自 {at} 起等待：{why}。{rule}。方案 {plan}。' },
  onlyView: {
    en: 'You may look, {name}; to decide takes the right approve.',
    zh: '{name}，您仅可查看；审批需要 approve 权限。',
  },
  becomes: { en: 'becomes', zh: '变为' },
  undo: { en: 'undo: {command}', zh: '回退命令：{command}' },
  approve: { en: 'Approve', zh: '批准' },
  approveWhat: { en: 'Approve {remediator} on {node}', zh: '批准在 {node} 上执行 {remediator}' },
  reject: { en: 'Reject', zh: '驳回' },
  rejectWhat: { en: 'Reject {remediator} on {node}', zh: '驳回在 {node} 上执行 {remediator}' },
  rejectThis: { en: 'Reject this plan', zh: '驳回此方案' },
  notDecided: { en: 'Not decided: {why}', zh: '未能提交：{why}' },
} as const satisfies Record<string, Text>

/** Of any deed that takes a reason. */
export const REASON_TEXTS = {
  reason: { en: 'Reason', zh: '原因' },
  back: { en: 'Back', zh: '返回' },
  notEnded: { en: 'Not ended: {why}', zh: '未能结束：{why}' },
} as const satisfies Record<string, Text>

export const TWO_PEOPLE_TEXTS = {
  takesTwo: {
    en: 'Dangerous: two people must approve it, within an hour of each other.',
    zh: '高危操作：须由两人在一小时内先后批准。',
  },
  none: { en: '0 of 2.', zh: '已批准 0/2。' },
  one: { en: '1 of 2, by {by}, until {until}.', zh: '已批准 1/2（{by}），{until} 前有效。' },
  shared: {
    en: 'The token that you came with may be several people’s: sign in with one of your own to approve it.',
    zh: '您使用的令牌可能由多人共用：请用个人令牌登录后再批准。',
  },
  thatWasYou: {
    en: 'That was you: somebody else must look at it now.',
    zh: '您已批准：现在须由另一人复核。',
  },
} as const satisfies Record<string, Text>

export const RISK_TEXTS: Readonly<Record<Risk, Text>> = {
  low: { en: 'low risk', zh: '低风险' },
  medium: { en: 'medium risk', zh: '中风险' },
  dangerous: { en: 'dangerous risk', zh: '高风险' },
}

export const REACH_TEXTS: Readonly<Record<Reach, Text>> = {
  none: { en: 'restarts nothing', zh: '无需重启' },
  process: { en: 'reaches process', zh: '影响进程' },
  host: { en: 'reaches host', zh: '影响主机' },
  workloads: { en: 'reaches workloads', zh: '影响业务负载' },
  machine: { en: 'reaches machine', zh: '影响整机' },
}
