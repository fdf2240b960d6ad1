import { COMMAS, type Language } from '../../../../common/languages.ts'
import type { MarkingView } from '../../../model.ts'
import type { ToldState } from '../../../stream/told-state.ts'
import { useSay } from '../language.ts'
import type { Line, Picture } from '../live.ts'
import { INSPECTIONS_HASH } from '../place.ts'
import { FIGURE_TEXTS, FRAME_TEXTS, LINE_TEXTS, ROLE_TEXTS } from '../texts/frame.ts'
import { MARKING_MODE_TEXTS } from '../texts/marks.ts'
import { fullTime } from '../time.ts'
import { ROLE_TONES } from '../tones.ts'
import { LanguageSwitch } from './language-switch.tsx'
import { Said } from './said.tsx'
import { Badge, Time, type Tone } from './small.tsx'

interface HeaderProps {
  readonly picture: Picture
  /** It stands above the mesh, and not above an inspection. */
  readonly showsMesh: boolean
  readonly onLanguage: (language: Language) => void
}

export function Header({ picture, showsMesh, onLanguage }: HeaderProps) {
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
        <LanguageSwitch onChoose={onLanguage} />
      </div>
      {snapshot !== null && showsMesh && <Figures snapshot={snapshot} />}
    </header>
  )
}

function Views({ showsMesh }: { showsMesh: boolean }) {
  const say = useSay()
  const current = { 'aria-current': 'page' } as const
  return (
    <nav class="views" aria-label={say(FRAME_TEXTS.views)}>
      <a href="#/" {...(showsMesh ? current : {})}>
        {say(FRAME_TEXTS.mesh)}
      </a>
      <a href={INSPECTIONS_HASH} {...(showsMesh ? {} : current)}>
        {say(FRAME_TEXTS.inspections)}
      </a>
    </nav>
  )
}

/** Under whose name this browser decides; of a token that several share nobody's. */
function Who({ me }: Pick<Picture, 'me'>) {
  const say = useSay()
  if (me === null || me.isShared) return null
  return (
    <p data-testid="me" title={say(FRAME_TEXTS.right, { right: me.right })}>
      <Badge tone="info">{me.name}</Badge>
    </p>
  )
}

/** Where there may be several aggregators: which part the one behind this page plays. */
function Role({ picture: { office, snapshot } }: { picture: Picture }) {
  const say = useSay()
  if (office === null || (office.role === 'leads' && snapshot?.marking === null)) return null
  return (
    <p data-testid="role" title={`${office.why}, ${fullTime(office.since)}`}>
      <Badge tone={ROLE_TONES[office.role]}>{say(ROLE_TEXTS[office.role])}</Badge>
    </p>
  )
}

const LINE_TONES: Readonly<Record<Line, Tone>> = { live: 'good', connecting: 'info', 'no-token': 'bad', stale: 'warn' }

function LineState({ picture: { line, heardAt } }: { picture: Picture }) {
  return (
    <p class="line-state" data-testid="line" aria-live="polite">
      <Badge tone={LINE_TONES[line]}>
        <Said text={LINE_TEXTS[line]} values={{ at: <Time at={heardAt} /> }} />
      </Badge>
    </p>
  )
}

function Figures({ snapshot }: { snapshot: ToldState }) {
  const say = useSay()
  const { mesh, members, marking, findings, remediations, settings } = snapshot
  const alive = members.filter(({ state }) => state === 'alive').length
  const suspected = members.filter(({ state }) => state === 'suspected').length
  const down = members.filter(({ state }) => ['NodeDown', 'HostHung', 'Isolated', 'AgentDown'].includes(state)).length
  const grave = findings.filter(({ status }) => status === 'error' || status === 'alarm').length
  const waiting = remediations.filter(({ phase }) => phase === 'awaiting-approval').length
  const modes =
    marking === null
      ? ''
      : [
          say(MARKING_MODE_TEXTS[marking.mode]),
          ...otherModes(marking).map(([pool, mode]) => `${pool} ${say(MARKING_MODE_TEXTS[mode])}`),
        ].join(say(COMMAS))
  const onNewest = Object.values(settings.applied).filter((version) => version === settings.version).length
  const rollout = settings.rollout && onItsWay(settings.rollout, settings.applied)
  const inForce = [
    say(FIGURE_TEXTS.onNewest, { count: onNewest }),
    ...(rollout === null ? [] : [say(rollout.text, rollout.values)]),
  ]
  return (
    <dl class="figures" data-testid="figures">
      <Figure name={say(FIGURE_TEXTS.alive)} value={say(FIGURE_TEXTS.aliveOf, { count: alive, of: members.length })} />
      <Figure name={say(FIGURE_TEXTS.suspected)} value={suspected} tone={suspected > 0 ? 'warn' : undefined} />
      <Figure name={say(FIGURE_TEXTS.down)} value={down} tone={down > 0 ? 'bad' : undefined} />
      <Figure name={say(FIGURE_TEXTS.alarms)} value={grave} tone={grave > 0 ? 'bad' : undefined} />
      <Figure name={say(FIGURE_TEXTS.needYou)} value={waiting} tone={waiting > 0 ? 'act' : undefined} />
      <Figure
        name={say(FIGURE_TEXTS.leader)}
        value={mesh.leader || say(FIGURE_TEXTS.nobody)}
        tone={mesh.leader === '' ? 'bad' : undefined}
      />
      {marking !== null && <Figure name={say(FIGURE_TEXTS.marking)} value={modes} />}
      {marking !== null && (
        <Figure
          name={say(FIGURE_TEXTS.writes)}
          value={say(marking.stalled === null ? FIGURE_TEXTS.possible : FIGURE_TEXTS.stalled)}
          tone={marking.stalled === null ? undefined : 'bad'}
        />
      )}
      <Figure
        name={say(FIGURE_TEXTS.settings, { version: settings.version })}
        value={inForce.join(say(COMMAS))}
        tone={settings.rollout?.halted ? 'bad' : undefined}
      />
    </dl>
  )
}

/** A version that is not in force yet, as `v8 on 1` or `v8 halted on 1`. */
function onItsWay(rollout: NonNullable<ToldState['settings']['rollout']>, applied: ToldState['settings']['applied']) {
  const text = rollout.halted === null ? FIGURE_TEXTS.onItsWay : FIGURE_TEXTS.halted
  const count = Object.values(applied).filter((version) => version === rollout.version).length
  return { text, values: { version: rollout.version, count } }
}

/** Of the pools whose mode differs. */
function otherModes({ mode, pools }: MarkingView) {
  return Object.entries(pools).filter(([, other]) => other !== mode)
}

function Figure({ name, value, tone }: { name: string; value: string | number; tone?: string | undefined }) {
  return (
    <div class={tone === undefined ? 'figure' : `figure tone-${tone}`}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}
