import { useEffect, useState } from 'preact/hooks'
import type { MatrixRow, SightView } from '../../../model.ts'
import { fetchMatrixRow } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { NOTICE_TEXTS } from '../texts/notices.ts'
import { FROM_TEXTS, SIGHT_TEXTS, WHO_SEES_TEXTS } from '../texts/sights.ts'
import { SIGHT_PICTURES } from '../tones.ts'
import { channelWord } from '../words.ts'
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
  const [failure, setFailure] = useState<unknown>()
  const language = useLanguage()
  const say = useSay()
  useEffect(() => {
    let isOver = false
    const load = async () => {
      try {
        const next = await fetchMatrixRow(node)
        if (isOver) return
        setRow(next)
        setFailure(undefined)
      } catch (error) {
        if (!isOver) setFailure(error)
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
        <div class={failure === undefined ? 'who-sees' : 'who-sees faded'}>
          <SightPicture row={row} />
          <Sights sights={row.sights} />
        </div>
      )}
      {failure !== undefined && (
        <p class="failure">{say(NOTICE_TEXTS.unknownNow, { why: reasonOf(failure, language) })}</p>
      )}
    </>
  )
}

const HEADS = ['observer', 'zone', 'sees', 'from'] as const

function Sights({ sights }: { sights: readonly SightView[] }) {
  const say = useSay()
  return (
    <div class="scroll-x">
      <table>
        <thead>
          <tr>
            {HEADS.map((head) => (
              <th key={head} scope="col">
                {say(WHO_SEES_TEXTS[head])}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sights.map((sight) => (
            <tr key={sight.observer}>
              <td>{sight.observer}</td>
              <td>{sight.zone}</td>
              <td>
                <Badge tone={SIGHT_PICTURES[sight.sees].tone} mark={SIGHT_PICTURES[sight.sees].mark}>
                  <SightWords sight={sight} />
                </Badge>
              </td>
              <td>
                <KnownFrom sight={sight} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** In words, with what exactly the host answered where that is not said by them. */
function SightWords({ sight: { sees, channel } }: { sight: SightView }) {
  const say = useSay()
  const word = say(SIGHT_TEXTS[sees])
  return sees === 'host-answers' || sees === 'silent' ? `${word} (${say(channelWord(channel))})` : word
}

function KnownFrom({ sight: { from, ageMs } }: { sight: SightView }) {
  const say = useSay()
  if (ageMs === null) return say(FROM_TEXTS.none)
  const seconds = Math.round(ageMs / 1_000)
  const age =
    seconds < 120
      ? say(WHO_SEES_TEXTS.seconds, { count: seconds })
      : say(WHO_SEES_TEXTS.minutes, { count: Math.round(seconds / 60) })
  return say(FROM_TEXTS[from], { age })
}
