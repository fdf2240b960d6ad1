/** What an inspection is told in: its own words, the roles and checks of the default profile, and why a node says nothing. */
import type { Language, Text } from '../common/languages.ts'
import { SEVERITY_WORDS } from '../common/words/severities.ts'
import type { Column, SilentWhy, Title } from './model.ts'

export const INSPECTION_TEXTS = {
  title: { en: 'Inspection', zh: '巡检' },
  nodes: { en: '{count} {count|node|nodes}', zh: '{count} 个节点' },
  fresh: { en: 'every node was asked', zh: '已逐节点查询' },
  state: { en: 'as last reported', zh: '按最近上报的状态' },
  against: { en: 'changes since {at}', zh: '与 {at} 相比的变化' },
  check: { en: 'check', zh: '检查项' },
  wanted: { en: 'wanted {value}', zh: '期望值 {value}' },
  allFine: { en: 'nothing to report', zh: '全部正常' },
  folded: { en: '{count} {count|check|checks} without anything to report', zh: '另有 {count} 项检查无异常' },
  coverage: {
    en: 'Coverage: {heard} of {nodes} {nodes|node was|nodes were} heard',
    zh: '覆盖率：{nodes} 个节点中 {heard} 个有应答',
  },
  silentNodes: { en: 'Silent nodes', zh: '失联节点' },
  details: { en: 'Details', zh: '详情' },
  appeared: { en: 'New', zh: '新增' },
  gone: { en: 'Gone', zh: '已消失' },
  fellSilent: { en: 'Fell silent', zh: '新失联' },
  spokeAgain: { en: 'Heard again', zh: '恢复应答' },
  unchanged: { en: 'unchanged', zh: '无变化' },
  more: { en: '{count} more', zh: '还有 {count} 项' },
  moreSuch: { en: '{count} more of this kind', zh: '同类另有 {count} 条' },
  notReported: { en: 'never reported', zh: '从未上报' },
  node: { en: 'node', zh: '节点' },
  roles: { en: 'roles', zh: '角色' },
  why: { en: 'why', zh: '原因' },
  severity: { en: 'severity', zh: '级别' },
  reason: { en: 'reason', zh: '原因' },
  summary: { en: 'summary', zh: '说明' },
} as const satisfies Record<string, Text>

/** As headings. */
export const COLUMN_TEXTS: Readonly<Record<Column, Text>> = {
  error: { ...SEVERITY_WORDS.error, en: 'Error' },
  alarm: { ...SEVERITY_WORDS.alarm, en: 'Alarm' },
  warn: { ...SEVERITY_WORDS.warn, en: 'Warn' },
  info: { ...SEVERITY_WORDS.info, en: 'Info' },
  unknown: { ...SEVERITY_WORDS.unknown, en: 'Unknown' },
  silent: { ...SEVERITY_WORDS.silent, en: 'Silent' },
  notApplicable: { ...SEVERITY_WORDS['not-applicable'], en: 'N/A' },
}

/** Where several roles stand side by side. */
export const COLUMN_LETTERS: Readonly<Record<Column, Text>> = {
  error: { en: 'E', zh: '错' },
  alarm: { en: 'A', zh: '告' },
  warn: { en: 'W', zh: '警' },
  info: { en: 'I', zh: '信' },
  unknown: { en: 'U', zh: '未' },
  silent: { en: 'S', zh: '失' },
  notApplicable: { en: 'N', zh: '免' },
}

export const SILENT_TEXTS: Readonly<Record<SilentWhy, Text>> = {
  NodeDown: { en: 'NodeDown: convicted by its observers', zh: 'NodeDown：经观察者判定宕机' },
  AgentDown: { en: 'AgentDown: its host answers, its agent does not', zh: 'AgentDown：主机有响应，代理无响应' },
  left: { en: 'left: its agent was stopped', zh: '已离开：代理已被停止' },
  unreachable: { en: 'unreachable', zh: '不可达' },
  'no-answer': { en: 'no answer', zh: '未应答' },
}

const ROLE_TEXTS: Readonly<Record<string, Text>> = {
  etcd: { en: 'etcd nodes', zh: 'etcd 节点' },
  'control-plane': { en: 'control nodes', zh: '控制节点' },
  compute: { en: 'compute nodes', zh: '计算节点' },
  'other-services': { en: 'other services', zh: '其他服务' },
}

/** In English a check goes by its name, which is also what it is asked for by. */
const CHECK_TEXTS: Readonly<Record<string, string>> = {
  'kernel-params': '内核参数',
  conntrack: '连接跟踪表',
  'disk-usage': '磁盘使用率',
  'clock-skew': '时钟偏差',
  'time-daemon': '时间同步服务',
  clocksource: '时钟源',
  'peer-latency': '节点间延迟',
  'peer-loss': '节点间丢包',
  'kubelet-process': 'kubelet 进程',
  'systemd-units': 'systemd 单元',
  memory: '内存',
  load: '负载',
  psi: '资源压力',
  'oom-kills': '内存溢出终止',
  'process-count': '进程数',
  'pid-max': 'PID 上限',
  'file-handles': '文件句柄',
  fstab: 'fstab 挂载',
  'read-only-fs': '只读文件系统',
  'cadvisor-process': 'cAdvisor 进程',
  'cadvisor-cgroup-memory': 'cAdvisor 内存',
  'conntrack-drops': '连接跟踪丢包',
  'kernel-version': '内核版本',
  'syslog-level': '系统日志级别',
  'inotify-exhausted': 'inotify 耗尽',
  'nic-cpu': '网卡与 CPU',
  cadvisor: 'cAdvisor',
  'kernel-log': '内核日志',
  'kubelet-health': 'kubelet 健康',
  'kubelet-version': 'kubelet 版本',
  'runtime-health': '容器运行时',
  'control-plane-services': '控制面服务',
  'etcd-status': 'etcd 状态',
  'etcd-health': 'etcd 健康',
  'etcd-connections': 'etcd 连接',
  others: '其他检查',
}

/** As its profile calls it, else as it is called here, else by its name. */
export function roleTitle({ role, title }: { readonly role: string; readonly title?: Title }, to: Language): string {
  const own = Object.hasOwn(ROLE_TEXTS, role) ? ROLE_TEXTS[role] : undefined
  return titleIn(title ?? own ?? role, to)
}

export function checkTitle({ check, title }: { readonly check: string; readonly title?: Title }, to: Language): string {
  const chinese = Object.hasOwn(CHECK_TEXTS, check) ? CHECK_TEXTS[check] : undefined
  return titleIn(title ?? (chinese === undefined ? check : { en: check, zh: chinese }), to)
}

function titleIn(title: Title, to: Language): string {
  return typeof title === 'string' ? title : title[to]
}
