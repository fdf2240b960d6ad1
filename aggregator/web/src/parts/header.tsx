import type { MarkingView } from '../../../model.ts'
import type { ToldState } from '../../../stream/told-state.ts'
import type { Picture } from '../live.ts'
import { INSPECTIONS_HASH } from '../place.ts'
import { fullTime } from '../time.ts'
import { ROLE_PICTURES } from '../tones.ts'
import { Badge, Time } from './small.tsx'

/** `showsMesh`: it stands above the mesh, and not above an inspection. */
export function Header({ picture, showsMesh }: { picture: Picture; showsMesh: boolean }) {
  const { snapshot } = picture
  return (
    <header>
      <div class="header-row">
        <h1>
          <span class="brand">Starling</span> {snapshot?.mesh.id}
        </h1>
        <Views showsMesh={showsMesh} />
        <div class="chips">
          <Who me={picture.me} />
          <Role picture={picture} />
          <LineState picture={picture} />
        </div>
      </div>
      {snapshot !== null && showsMesh && <Figures snapshot={snapshot} />}
    </header>
  )
}

function Views({ showsMesh }: { showsMesh: boolean }) {
  const current = { 'aria-current': 'page' } as const
  return (
    <nav class="views" aria-label="Views">
      <a href="#/" {...(showsMesh ? current : {})}>
        Mesh
      </a>
      <a href={INSPECTIONS_HASH} {...(showsMesh ? {} : current)}>
        Inspections
      </a>
    </nav>
  )
}

/** Under whose name this browser decides; of a token that several share nobody's. */
function Who({ me }: Pick<Picture, 'me'>) {
  if (me === null || me.isShared) return null
  return (
    <p data-testid="me" title={`right: ${me.right}`}>
      <Badge tone="info">{me.name}</Badge>
    </p>
  )
}

/** Where there may be several aggregators: which part the one behind this page plays. */
function Role({ picture: { office, snapshot } }: { picture: Picture }) {
  if (office === null || (office.role === 'leads' && snapshot?.marking === null)) return null
  const { tone, says } = ROLE_PICTURES[office.role]
  return (
    <p data-testid="role" title={`${office.why}, ${fullTime(office.since)}`}>
      <Badge tone={tone}>{says}</Badge>
    </p>
  )
}

function LineState({ picture: { line, heardAt } }: { picture: Picture }) {
  return (
    <p class="line-state" data-testid="line" aria-live="polite">
      {line === 'live' && <Badge tone="good">live</Badge>}
      {line === 'connecting' && <Badge tone="info">connecting</Badge>}
      {line === 'no-token' && <Badge tone="bad">signed out</Badge>}
      {line === 'stale' && (
        <Badge tone="warn">
          data is stale since <Time at={heardAt} />, reconnecting
        </Badge>
      )}
    </p>
  )
}

function Figures({ snapshot }: { snapshot: ToldState }) {
  const { mesh, members, marking, findings, remediations, settings } = snapshot
  const alive = members.filter(({ state }) => state === 'alive').length
  const suspected = members.filter(({ state }) => state === 'suspected').length
  const down = members.filter(({ state }) => ['NodeDown', 'HostHung', 'Isolated', 'AgentDown'].includes(state)).length
  const grave = findings.filter(({ status }) => status === 'error' || status === 'alarm').length
  const waiting = remediations.filter(({ phase }) => phase === 'awaiting-approval').length
  const onNewest = Object.values(settings.applied).filter((version) => version === settings.version).length
  return (
    <dl class="figures" data-testid="figures">
      <Figure name="alive" value={`${alive} of ${members.length}`} />
      <Figure name="suspected" value={suspected} tone={suspected > 0 ? 'warn' : undefined} />
      <Figure name="down" value={down} tone={down > 0 ? 'bad' : undefined} />
      <Figure name="alarms" value={grave} tone={grave > 0 ? 'bad' : undefined} />
      <Figure name="need you" value={waiting} tone={waiting > 0 ? 'act' : undefined} />
      <Figure name="leader" value={mesh.leader || 'none'} tone={mesh.leader === '' ? 'bad' : undefined} />
      {marking !== null && <Figure name="marking" value={modesOf(marking)} />}
      {marking !== null && (
        <Figure
          name="writes"
          value={marking.stalled === null ? 'possible' : 'stalled'}
          tone={marking.stalled === null ? undefined : 'bad'}
        />
      )}
      <Figure
        name={`settings v${settings.version}`}
        value={[`on ${onNewest}`, ...onItsWay(settings)].join(', ')}
        tone={settings.rollout?.halted ? 'bad' : undefined}
      />
    </dl>
  )
}

/** A version that is not in force yet, as `v8 on 1` or `v8 halted on 1`; none when there is none. */
function onItsWay({ rollout, applied }: ToldState['settings']): readonly string[] {
  if (rollout === null) return []
  const runs = Object.values(applied).filter((version) => version === rollout.version).length
  return [`v${rollout.version}${rollout.halted === null ? '' : ' halted'} on ${runs}`]
}

/** `observe`, or with the pools that differ: `observe, gpu ready`. */
function modesOf({ mode, pools }: MarkingView): string {
  const others = Object.entries(pools).filter(([, other]) => other !== mode)
  return [mode, ...others.map(([pool, other]) => `${pool} ${other}`)].join(', ')
}

function Figure({ name, value, tone }: { name: string; value: string | number; tone?: string | undefined }) {
  return (
    <div class={tone === undefined ? 'figure' : `figure tone-${tone}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
