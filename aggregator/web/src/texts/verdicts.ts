/** What the mesh has found of nodes by vote. */
import type { Text } from '../../../../common/languages.ts'
import type { VoteView } from '../../../model.ts'

export const VERDICT_TEXTS = {
  title: { en: 'Verdicts', zh: '判定' },
  none: { en: 'The mesh has not found any node to be down.', zh: '未判定任何节点异常。' },
  takenOver: { en: 'taken over from another aggregator', zh: '由其他聚合器移交' },
  untilNow: { en: '{from} until now', zh: '{from} 至今' },
  until: { en: '{from} to {to}', zh: '{from} 至 {to}' },
  votesUnknown: { en: 'by which votes is not known here', zh: '此处没有其投票明细' },
  present: {
    en: '{present} of {live} live {live|node was|nodes were} present',
    zh: '{live} 个存活节点中 {present} 个参与',
  },
  certificate: { en: 'certificate', zh: '证书' },
  votes: { en: 'Votes', zh: '投票' },
  count: {
    en: '{silent} for, {alive} against, {abstained} abstained; {needed} needed',
    zh: '赞成 {silent}，反对 {alive}，弃权 {abstained}；需 {needed} 票',
  },
  voter: { en: 'Voter', zh: '投票者' },
  zone: { en: 'Zone', zh: '可用区' },
  says: { en: 'Says', zh: '意见' },
  hostAnswers: { en: 'Host answers', zh: '主机响应' },
  for: { en: 'For', zh: '时长' },
  seconds: { en: '{count} s', zh: '{count} 秒' },
} as const satisfies Record<string, Text>

export const OPINION_TEXTS: Readonly<Record<VoteView['opinion'], Text>> = {
  silent: { en: 'silent', zh: '失联' },
  alive: { en: 'alive', zh: '存活' },
  abstain: { en: 'abstain', zh: '弃权' },
}
