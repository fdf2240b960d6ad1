import type { Snapshot } from '../../../model.ts'
import type { Picture } from '../live.ts'
import { Badge, Time } from './small.tsx'

export function Header({ picture }: { picture: Picture }) {
  const { snapshot } = picture
  return (
    <header>
      <div class="header-row">
        <h1>
          <span class="brand">Starling</span> {snapshot?.mesh.id}
        </h1>
        <LineState picture={picture} />
      </div>
      {snapshot !== null && <Figures snapshot={snapshot} />}
    </header>
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

function Figures({ snapshot: { mesh, members, findings, remediations, settings } }: { snapshot: Snapshot }) {
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
      <Figure name={`settings v${settings.version}`} value={`on ${onNewest}`} />
    </dl>
  )
}

function Figure({ name, value, tone }: { name: string; value: string | number; tone?: string | undefined }) {
  return (
    <div class={tone === undefined ? 'figure' : `figure tone-${tone}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
