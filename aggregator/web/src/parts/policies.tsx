import { useEffect, useState } from 'preact/hooks'
import { COMMAS, SEMICOLONS } from '../../../../common/languages.ts'
import { MODE_WORDS } from '../../../../common/words/modes.ts'
import { SEVERITY_WORDS } from '../../../../common/words/severities.ts'
import { fetchPolicies, type PolicyInForce } from '../api.ts'
import { reasonOf } from '../failure.ts'
import { useLanguage, useSay } from '../language.ts'
import { POLICY_TEXTS } from '../texts/policies.ts'
import { MODE_TONES } from '../tones.ts'
import { selectorWord } from '../words.ts'
import { Badge } from './small.tsx'

/** The policies of the settings in force, in their order, once somebody wants to see them. `version`: of those settings. */
export function Policies({ version }: { version: number }) {
  const [isOpen, setIsOpen] = useState(false)
  const [policies, setPolicies] = useState<readonly PolicyInForce[]>()
  const [failure, setFailure] = useState<unknown>()
  const language = useLanguage()
  const say = useSay()
  // Anew with each version.
  useEffect(() => {
    if (!isOpen) return
    fetchPolicies().then(
      (found) => {
        setFailure(undefined)
        setPolicies(found)
      },
      (error: unknown) => setFailure(error),
    )
  }, [isOpen, version])
  return (
    <details class="policies" onToggle={(event) => setIsOpen(event.currentTarget.open)} data-testid="policies">
      <summary>{say(POLICY_TEXTS.title, { version })}</summary>
      {failure !== undefined && <p class="aside">{reasonOf(failure, language)}</p>}
      {failure === undefined && policies?.length === 0 && <p class="aside">{say(POLICY_TEXTS.none)}</p>}
      {failure === undefined && policies !== undefined && (
        <ol class="rows">
          {policies.map((policy) => (
            <Policy key={policy.name} {...policy} />
          ))}
        </ol>
      )}
    </details>
  )
}

function Policy({ name, selector, match, mode = 'observe', ladder, windows = [], coolDown }: PolicyInForce) {
  const say = useSay()
  const comma = say(COMMAS)
  const found = match.map(({ reason, severity }) => {
    if (severity === undefined) return reason ?? ''
    const word = say(SEVERITY_WORDS[severity])
    return reason === undefined ? word : say(POLICY_TEXTS.at, { reason, severity: word })
  })
  const kinds = Object.entries(selector).flatMap(([kind, names]) =>
    Array.isArray(names) ? [`${say(selectorWord(kind))} ${names.join(', ')}`] : [],
  )
  const rungs = ladder.map(({ remediator, attempts }) =>
    attempts === undefined ? remediator : say(POLICY_TEXTS.upTo, { remediator, count: attempts }),
  )
  const open = windows.map(({ cron, duration, timeZone }) =>
    say(POLICY_TEXTS.window, { cron, duration, zone: timeZone }),
  )
  return (
    <li>
      <Badge tone={MODE_TONES[mode]}>{say(MODE_WORDS[mode])}</Badge>
      <div class="row-text">
        <p>
          <strong>{name}</strong>: {found.join(comma)}
        </p>
        <p class="aside">
          {[
            kinds.length === 0 ? say(POLICY_TEXTS.everywhere) : kinds.join(say(SEMICOLONS)),
            rungs.join(say(POLICY_TEXTS.next)),
            open.length === 0 ? say(POLICY_TEXTS.anyTime) : open.join(comma),
            ...(coolDown === undefined ? [] : [say(POLICY_TEXTS.rests, { duration: coolDown })]),
          ].join(' · ')}
        </p>
      </div>
    </li>
  )
}
