/** What Kubernetes shows of a verdict or a finding, or would. */
import type { Text } from '../../../../common/languages.ts'
import type { MarkView } from '../../../model.ts'

export const MARK_STATE_TEXTS: Readonly<Record<MarkView['state'], Text>> = {
  marked: { en: 'marked', zh: '已标记' },
  'would-mark': { en: 'would mark', zh: '本应标记' },
  withheld: { en: 'not marked', zh: '未标记' },
  undone: { en: 'mark undone', zh: '已撤销标记' },
}

/** The words of the settings stand beside what they mean. */
export const MARKING_MODE_TEXTS: Readonly<Record<MarkView['mode'], Text>> = {
  observe: { en: 'observe', zh: '只观察' },
  condition: { en: 'condition', zh: '写 condition' },
  ready: { en: 'ready', zh: '写 Ready' },
}

export const MARK_TEXTS = {
  since: { en: '· mode {mode} · since {from}', zh: '· 模式 {mode} · 自 {from}' },
  fromTo: { en: '· mode {mode} · since {from} to {to}', zh: '· 模式 {mode} · {from} 至 {to}' },
  notAll: { en: '· not all of it: {why}', zh: '· 部分未写入：{why}' },
} as const satisfies Record<string, Text>
