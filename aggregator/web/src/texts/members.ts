/** The nodes of the mesh: how each is, and whether its death would be found. */
import type { Text } from '../../../../common/languages.ts'

export const MEMBER_TEXTS = {
  title: { en: 'Members', zh: '节点' },
  where: { en: 'zone {zone} · {roles} · since {at}', zh: '可用区 {zone} · {roles} · 自 {at}' },
  heardBy: {
    en: 'heard by {heard} of {of} {of|observer|observers}',
    zh: '{of} 个观察者中 {heard} 个收到其心跳',
  },
  silent: { en: '{silent} silent, {needed} needed', zh: '{silent} 个观察者判为失联，需 {needed} 个' },
  silentTooFew: { en: '{silent} silent, too few for a verdict', zh: '{silent} 个观察者判为失联，不足以判定' },
  covered: {
    en: 'covered by {covered} of {of} {of|observer|observers}',
    zh: '{of} 个观察者中 {covered} 个可参与判定',
  },
  notCovered: {
    en: 'covered by {covered} of {of} {of|observer|observers}: not yet enough, {needed} needed',
    zh: '{of} 个观察者中 {covered} 个可参与判定：尚不足 {needed} 个',
  },
  tooFew: { en: 'too few observers ({of}) for a verdict', zh: '观察者过少（{of} 个），无法判定' },
  hungIn: { en: 'HostHung decidable in {seconds}\u00a0s', zh: '{seconds}\u00a0秒后可判定夯死 HostHung' },
  hungNow: { en: 'HostHung decidable now', zh: '现可判定夯死 HostHung' },
  showEvents: { en: 'Show the events of {node}', zh: '查看 {node} 的事件' },
  /** To a screen reader, as something changes. */
  is: { en: '{node} is {state}', zh: '{node}：{state}' },
  with: { en: ' with ', zh: '，' },
  fix: { en: '{remediator} on {node}: {phase}', zh: '{node} 上的 {remediator}：{phase}' },
  between: { en: '. ', zh: '。' },
} as const satisfies Record<string, Text>
