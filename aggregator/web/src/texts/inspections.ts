/** What only the page says of inspections; the rest is worded as in mails and on the command line. */
import type { Text } from '../../../../common/languages.ts'

export const INSPECTION_PAGE_TEXTS = {
  anew: { en: 'Inspect anew', zh: '重新巡检' },
  asking: { en: '{answered} of {of} {of|node has|nodes have} answered', zh: '{of} 个节点中 {answered} 个已应答' },
  failed: { en: 'Not inspected: {why}', zh: '巡检失败：{why}' },
  noneYet: { en: 'No inspection was taken yet.', zh: '尚无巡检记录。' },
  earlier: { en: 'Inspections that are kept', zh: '历史巡检' },
  everything: { en: 'Show everything', zh: '显示全部' },
  nothingListed: { en: 'Nothing is listed here: fine nodes are only counted.', zh: '无可列出的内容：正常节点仅计数。' },
} as const satisfies Record<string, Text>
