/** What is said above everything else, since it holds for all that stands below. */
import type { Text } from '../../../../common/languages.ts'

export const NOTICE_TEXTS = {
  signedOut: {
    en: 'This browser is not signed in. Open the link with {token} that {command} printed.',
    zh: '此浏览器尚未登录。请打开 {command} 输出的带 {token} 的链接。',
  },
  noQuorum: {
    en: 'Nobody is marked at present: no more than half of the live members answer {leader}',
    zh: '暂停标记节点：应答 {leader} 的存活成员不超过半数',
  },
  stalled: {
    en: 'Nothing can be written to Kubernetes at present: {why}. The mesh is watched as before.',
    zh: '目前无法写入 Kubernetes：{why}。集群监测不受影响。',
  },
  blind: {
    en: 'Blind: {why}; the death of a node might not be found',
    zh: '监测盲区：{why}；节点宕机可能无法发现',
  },
  frozen: { en: 'Nobody is marked at present: {why}', zh: '暂停标记节点：{why}' },
  thaw: { en: 'End the freeze', zh: '解除冻结' },
  standsBy: { en: '{node} stands by', zh: '{node} 为备用' },
  starts: { en: '{node} is starting', zh: '{node} 启动中' },
  takesOver: { en: '{node} is taking over', zh: '{node} 接管中' },
  leads: { en: '{node} leads', zh: '{node} 为主用' },
  since: { en: 'since {at}: {why}', zh: '自 {at} 起：{why}' },
  nobodyLeads: { en: 'Nobody leads the mesh at present.', zh: '目前没有主用聚合器。' },
  askLeader: { en: '{leader} leads the mesh: its page shows it.', zh: '主用聚合器为 {leader}，请查看其页面。' },
  unfit: { en: 'It could not take over at present: {why}', zh: '目前无法接管：{why}' },
  unknownNow: { en: 'Not known at present: {why}', zh: '目前未知：{why}' },
} as const satisfies Record<string, Text>
