import { useEffect, useRef, useState } from 'preact/hooks'
import { say, type Text, type Values } from '../../../common/languages.ts'
import { InLanguage, useChosenLanguage } from './language.ts'
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
import { Said } from './parts/said.tsx'
import { StandingBy } from './parts/standing-by.tsx'
import { Verdicts } from './parts/verdicts.tsx'
import { useInspectionView } from './place.ts'
import { FRAME_TEXTS } from './texts/frame.ts'
import { NOTICE_TEXTS } from './texts/notices.ts'

const byName = new Intl.Collator('en', { numeric: true })

export function App() {
  const [picture, setPicture] = useState(EMPTY_PICTURE)
  const [filter, setFilter] = useState(NO_FILTER)
  const [language, setLanguage] = useChosenLanguage()
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

  const told = <T extends Text>(text: T, ...values: Values<T>) => say(text, language, ...values)
  return (
    <InLanguage.Provider value={language}>
      <Header picture={picture} showsMesh={inspection === undefined} onLanguage={setLanguage} />
      {line === 'no-token' && (
        <p class="notice" role="alert">
          <Said
            text={NOTICE_TEXTS.signedOut}
            values={{ token: <code>?token=</code>, command: <code>starling up</code> }}
          />
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
              {told(NOTICE_TEXTS.noQuorum, { leader: snapshot.mesh.leader })}
            </p>
          )}
          {snapshot.marking !== null && snapshot.marking.stalled !== null && (
            <p class="notice notice-bad" role="alert" data-testid="stalled">
              {told(NOTICE_TEXTS.stalled, { why: snapshot.marking.stalled })}
            </p>
          )}
          {snapshot.mesh.blind !== null && (
            <p class="notice notice-bad" role="alert" data-testid="blind">
              {told(NOTICE_TEXTS.blind, { why: snapshot.mesh.blind.why })}
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
          {told(FRAME_TEXTS.version, {
            version: snapshot.mesh.version,
            epoch: snapshot.mesh.epoch,
            zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          })}
        </footer>
      )}
    </InLanguage.Provider>
  )
}
