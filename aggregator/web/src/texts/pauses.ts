/** Where nothing is begun for a while. */
import type { Text } from '../../../../common/languages.ts'

export const PAUSE_TEXTS = {
  all: {
    en: 'Nothing is begun anywhere until {until}: {reason} {by}. What was begun is finished, and put back if need be.',
    zh: '{until} 之前不再开始任何修复：{reason}{by}。已开始的会继续完成，必要时回退。',
  },
  pool: {
    en: 'Nothing is begun on pool {name} until {until}: {reason} {by}. What was begun is finished, and put back if need be.',
    zh: '{until} 之前节点池 {name} 不再开始修复：{reason}{by}。已开始的会继续完成，必要时回退。',
  },
  node: {
    en: 'Nothing is begun on node {name} until {until}: {reason} {by}. What was begun is finished, and put back if need be.',
    zh: '{until} 之前节点 {name} 不再开始修复：{reason}{by}。已开始的会继续完成，必要时回退。',
  },
  by: { en: '({by})', zh: '（{by}）' },
  end: { en: 'End the pause', zh: '结束暂停' },
} as const satisfies Record<string, Text>
