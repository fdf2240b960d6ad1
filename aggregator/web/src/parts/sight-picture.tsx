import type { MatrixRow, SightView } from '../../../model.ts'
import { useSay } from '../language.ts'
import { WHO_SEES_TEXTS } from '../texts/sights.ts'
import { SIGHT_PICTURES } from '../tones.ts'

const WIDTH = 300
const HEIGHT = 216
const CENTRE = { x: WIDTH / 2, y: HEIGHT / 2 }
const REACH = { x: 68, y: 74 }
/** Of longer names the end is shown, where those of one cluster differ; the table beside the picture has them whole. */
const NAME_CHARS_MAX = 10

/** A node amid its observers, each joined to it by a line as good as what it sees. */
export function SightPicture({ row: { subject, sights } }: { row: MatrixRow }) {
  const say = useSay()
  const heard = sights.filter(({ sees }) => sees === 'hears').length
  return (
    <svg
      class="sight-picture"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={say(WHO_SEES_TEXTS.heard, { node: subject, heard, of: sights.length })}
    >
      {sights.map((sight, index) => (
        <line
          key={sight.observer}
          class={`sight sight-${sight.sees} tone-${SIGHT_PICTURES[sight.sees].tone}`}
          {...lineFrom(placeAt(index / sights.length))}
        />
      ))}
      <circle class="sight-subject" cx={CENTRE.x} cy={CENTRE.y} r={8} />
      {sights.map((sight, index) => (
        <Observer key={sight.observer} sight={sight} turn={index / sights.length} />
      ))}
    </svg>
  )
}

function Observer({ sight: { observer, sees }, turn }: { sight: SightView; turn: number }) {
  const { tone, mark } = SIGHT_PICTURES[sees]
  const { x, y } = placeAt(turn)
  const side = Math.cos(angleOf(turn))
  const anchor = side > 0.3 ? 'start' : side < -0.3 ? 'end' : 'middle'
  const dx = anchor === 'start' ? 15 : anchor === 'end' ? -15 : 0
  const dy = anchor === 'middle' ? (y < CENTRE.y ? -16 : 24) : 4
  return (
    <g class={`tone-${tone}`}>
      <title>{observer}</title>
      <circle class="sight-observer" cx={x} cy={y} r={10} />
      <text class="sight-mark" x={x} y={y + 4} text-anchor="middle">
        {mark}
      </text>
      <text class="sight-name" x={x + dx} y={y + dy} text-anchor={anchor}>
        {observer.length > NAME_CHARS_MAX ? `…${observer.slice(1 - NAME_CHARS_MAX)}` : observer}
      </text>
    </g>
  )
}

function lineFrom({ x, y }: { x: number; y: number }) {
  return { x1: x, y1: y, x2: CENTRE.x, y2: CENTRE.y }
}

/** `turn`: 0 is at the top, and on clockwise. */
function placeAt(turn: number) {
  return { x: CENTRE.x + REACH.x * Math.cos(angleOf(turn)), y: CENTRE.y + REACH.y * Math.sin(angleOf(turn)) }
}

function angleOf(turn: number): number {
  return (turn - 0.25) * 2 * Math.PI
}
