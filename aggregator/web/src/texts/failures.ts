/** What the page itself says when a request fails; the aggregator's own words are shown as they come. */
import type { Text } from '../../../../common/languages.ts'

export const FAILURE_TEXTS = {
  noToken: { en: 'the aggregator does not know this browser any more', zh: '聚合器不再认可此浏览器，请重新登录' },
  status: { en: 'the aggregator answered {status}', zh: '聚合器返回 {status}' },
  nothingOf: { en: 'the aggregator says nothing of {node}', zh: '聚合器没有 {node} 的信息' },
} as const satisfies Record<string, Text>
