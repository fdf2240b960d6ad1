import { useEffect, useRef, useState } from 'preact/hooks'
import { EMPTY_PICTURE, type Live, startLive } from './live.ts'
import { Announcer } from './parts/announcer.tsx'
import { Approvals } from './parts/approvals.tsx'
import { EventLog, NO_FILTER } from './parts/event-log.tsx'
import { Findings } from './parts/findings.tsx'
import { Frozen } from './parts/frozen.tsx'
import { Header } from './parts/header.tsx'
import { Incidents } from './parts/incidents.tsx'
import { Inspection } from './parts/inspection.tsx'
import { Members } from './parts/members.tsx'
import { Remediations } from './parts/remediations.tsx'
import { StandingBy } from './parts/standing-by.tsx'
import { Verdicts } from './parts/verdicts.tsx'
import { useInspectionView } from './place.ts'

const byName = new Intl.Collator('en', { numeric: true })

export function App() {
  const [picture, setPicture] = useState(EMPTY_PICTURE)
  const [filter, setFilter] = useState(NO_FILTER)
  const inspection = useInspectionView()
  const live = useRef<Live | null>(null)
  useEffect(() => {
    live.current = startLive(setPicture)
    return () => live.current?.stop()
  }, [])

  const { snapshot, office, me, events, hasOlder, line } = picture
  function showEventsOf(node: string): void {
    setFilter({ node, text: '' })
    document.getElementById('events')?.scrollIntoView({ block: 'start' })
  }

  return (
    <>
      <Header picture={picture} showsMesh={inspection === undefined} />
      {line === 'no-token' && (
        <p class="notice" role="alert">
          This browser is not signed in. Open the link with <code>?token=</code> that <code>starling up</code> printed.
        </p>
      )}
      {inspection !== undefined && office !== null && line !== 'no-token' && (
        <Inspection view={inspection} events={events} />
      )}
      {inspection === undefined && snapshot === null && office !== null && line !== 'no-token' && (
        <StandingBy office={office} />
      )}
      {inspection === undefined && snapshot !== null && (
        <main class={line === 'live' ? '' : 'faded'}>
          <Announcer snapshot={snapshot} />
          {snapshot.mesh.frozen !== null && <Frozen why={snapshot.mesh.frozen} />}
          {!snapshot.mesh.hasQuorum && (
            <p class="notice notice-bad" role="alert" data-testid="no-quorum">
              Nobody is marked at present: no more than half of the live members answer {snapshot.mesh.leader}
            </p>
          )}
          {snapshot.marking !== null && snapshot.marking.stalled !== null && (
            <p class="notice notice-bad" role="alert" data-testid="stalled">
              Nothing can be written to Kubernetes at present: {snapshot.marking.stalled}. The mesh is watched as
              before.
            </p>
          )}
          {snapshot.mesh.blind !== null && (
            <p class="notice notice-bad" role="alert" data-testid="blind">
              Blind: {snapshot.mesh.blind.why}; the death of a node might not be found
            </p>
          )}
          {snapshot.notice !== '' && (
            <p class="notice" data-testid="notice">
              {snapshot.notice}
            </p>
          )}
          <div class="columns">
            <div class="column">
              <Incidents events={events} onChooseNode={showEventsOf} />
              <Approvals
                waiting={snapshot.remediations.filter(({ phase }) => phase === 'awaiting-approval')}
                findings={snapshot.findings}
                first={snapshot.permits.approvals}
                me={me}
                onChooseNode={showEventsOf}
              />
              <Members members={snapshot.members} receivedAt={picture.snapshotAt} onChooseNode={showEventsOf} />
              <Findings findings={snapshot.findings} well={snapshot.wellFindings} onChooseNode={showEventsOf} />
              <Verdicts verdicts={snapshot.verdicts} onChooseNode={showEventsOf} />
              <Remediations
                remediations={snapshot.remediations.filter(({ phase }) => phase !== 'awaiting-approval')}
                permits={snapshot.permits}
                version={snapshot.settings.version}
                onChooseNode={showEventsOf}
              />
            </div>
            <div class="column">
              <EventLog
                events={events}
                nodes={snapshot.members.map(({ node }) => node).toSorted(byName.compare)}
                filter={filter}
                hasOlder={hasOlder}
                onFilter={setFilter}
                onLoadOlder={async () => live.current?.loadOlder()}
              />
            </div>
          </div>
        </main>
      )}
      {snapshot !== null && (
        <footer>
          Starling {snapshot.mesh.version} · epoch {snapshot.mesh.epoch} · times in{' '}
          {Intl.DateTimeFormat().resolvedOptions().timeZone}
        </footer>
      )}
    </>
  )
}
