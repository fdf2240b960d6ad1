import { useEffect, useState } from 'preact/hooks'
import type { MatrixRow, SightView } from '../../../model.ts'
import { fetchMatrixRow } from '../api.ts'
import { SIGHT_PICTURES } from '../tones.ts'
import { SightPicture } from './sight-picture.tsx'
import { Badge } from './small.tsx'

/** Often enough to watch a fault come and go. */
const REFRESH_MS = 2_000

/** Who sees a node: a picture and the same in words, asked for while it is open. */
export function WhoSees({ node, title }: { node: string; title: string }) {
  const [isOpen, setIsOpen] = useState(false)
  return (
    <details data-testid="who-sees" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && <Row node={node} />}
    </details>
  )
}

function Row({ node }: { node: string }) {
  const [row, setRow] = useState<MatrixRow | null>(null)
  const [failure, setFailure] = useState('')
  useEffect(() => {
    let isOver = false
    const load = async () => {
      try {
        const next = await fetchMatrixRow(node)
        if (isOver) return
        setRow(next)
        setFailure('')
      } catch (error) {
        if (!isOver) setFailure(error instanceof Error ? error.message : String(error))
      }
    }
    void load()
    const timer = setInterval(load, REFRESH_MS)
    return () => {
      isOver = true
      clearInterval(timer)
    }
  }, [node])
  return (
    <>
      {row !== null && (
        <div class={failure === '' ? 'who-sees' : 'who-sees faded'}>
          <SightPicture row={row} />
          <Sights sights={row.sights} />
        </div>
      )}
      {failure !== '' && <p class="failure">Not known at present: {failure}</p>}
    </>
  )
}

function Sights({ sights }: { sights: readonly SightView[] }) {
  return (
    <div class="scroll-x">
      <table>
        <thead>
          <tr>
            <th scope="col">Observer</th>
            <th scope="col">Zone</th>
            <th scope="col">Sees</th>
            <th scope="col">Known from</th>
          </tr>
        </thead>
        <tbody>
          {sights.map((sight) => (
            <tr key={sight.observer}>
              <td>{sight.observer}</td>
              <td>{sight.zone}</td>
              <td>
                <Badge tone={SIGHT_PICTURES[sight.sees].tone} mark={SIGHT_PICTURES[sight.sees].mark}>
                  {said(sight)}
                </Badge>
              </td>
              <td>{knownFrom(sight)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** In words, with what exactly the host answered where that is not said by them. */
function said({ sees, channel }: SightView): string {
  const { says } = SIGHT_PICTURES[sees]
  return sees === 'host-answers' || sees === 'silent' ? `${says} (${channel})` : says
}

function knownFrom({ from, ageMs }: SightView): string {
  if (ageMs === null) return '-'
  const seconds = Math.round(ageMs / 1_000)
  const age = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  return from === 'watching' ? `watches it, for ${age}` : `${from}, ${age} ago`
}
