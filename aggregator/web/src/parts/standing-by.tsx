import type { OfficeView } from '../../../model.ts'
import { ROLE_PICTURES } from '../tones.ts'
import { Time } from './small.tsx'

/** In place of the mesh, of which an aggregator that does not lead says nothing: who it is, and whom to ask. */
export function StandingBy({ office: { node, role, since, why, leader, unfit } }: { office: OfficeView }) {
  return (
    <main>
      <div class="notice" role="status" data-testid="standing-by">
        <p>
          <strong>
            {node} {role === 'stands-by' ? 'stands by' : `is ${ROLE_PICTURES[role].says}`}
          </strong>
          {role !== 'starts' && (
            <>
              {' '}
              since <Time at={since} />: {why}
            </>
          )}
        </p>
        {role === 'stands-by' && (
          <p>{leader === '' ? 'Nobody leads the mesh at present.' : `${leader} leads the mesh: its page shows it.`}</p>
        )}
      </div>
      {unfit !== null && (
        <p class="notice notice-bad" role="alert" data-testid="unfit">
          It could not take over at present: {unfit}
        </p>
      )}
    </main>
  )
}
