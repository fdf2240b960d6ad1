import type { Text } from '../../../../common/languages.ts'
import type { OfficeView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { NOTICE_TEXTS } from '../texts/notices.ts'
import { Said } from './said.tsx'
import { Time } from './small.tsx'

const IS: Readonly<Record<OfficeView['role'], Text>> = {
  starts: NOTICE_TEXTS.starts,
  'stands-by': NOTICE_TEXTS.standsBy,
  'takes-over': NOTICE_TEXTS.takesOver,
  leads: NOTICE_TEXTS.leads,
}

/** In place of the mesh, of which an aggregator that does not lead says nothing: who it is, and whom to ask. */
export function StandingBy({ office: { node, role, since, why, leader, unfit } }: { office: OfficeView }) {
  const say = useSay()
  return (
    <main>
      <div class="notice" role="status" data-testid="standing-by">
        <p>
          <strong>{say(IS[role], { node })}</strong>
          {role !== 'starts' && (
            <>
              {' '}
              <Said text={NOTICE_TEXTS.since} values={{ at: <Time at={since} />, why }} />
            </>
          )}
        </p>
        {role === 'stands-by' && (
          <p>{leader === '' ? say(NOTICE_TEXTS.nobodyLeads) : say(NOTICE_TEXTS.askLeader, { leader })}</p>
        )}
      </div>
      {unfit !== null && (
        <p class="notice notice-bad" role="alert" data-testid="unfit">
          {say(NOTICE_TEXTS.unfit, { why: unfit })}
        </p>
      )}
    </main>
  )
}
