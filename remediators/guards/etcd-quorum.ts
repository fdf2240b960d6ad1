/**
 * Without this node, and all that are disrupted, most members of etcd must be well: else nothing can be written any more,
 * no cordon taken back, and no decision of ours recorded.
 */
import { counted } from '../../common/counted.ts'
import { disrupted, disturbs } from './disruption.ts'
import { allow, type Guard, HARD, ofMember, PASSES, refuse } from './guard.ts'

const REST_MS = 120_000

export const etcdQuorum: Guard = {
  name: 'etcd-quorum',
  refuses:
    'what would leave etcd without a majority of members that are well; of an only member all beyond its processes',
  reachNone: PASSES,
  limits: () => HARD,
  judge: ofMember(({ etcd }, view) => {
    if (etcd === undefined) return allow('the node runs no member of etcd')
    if (!disturbs(view.plan)) return allow('the fix stops no process')
    const members = [...view.nodes].filter(([, facts]) => facts.etcd !== undefined)
    // There is no quorum to wait for, and a restart of another process does not stop a member.
    if (members.length === 1 && view.plan.reach === 'process')
      return allow('it is the only member of etcd, and goes on')
    const gone = disrupted(view)
    const well = members.filter(([name, facts]) => facts.etcd === 'well' && name !== view.plan.node && !gone.has(name))
    const needed = Math.floor(members.length / 2) + 1
    const figures = `${well.length} of ${counted(members.length, 'member')} of etcd would be well, and ${needed} must be`
    return well.length >= needed ? allow(figures) : refuse(figures, REST_MS)
  }),
}
