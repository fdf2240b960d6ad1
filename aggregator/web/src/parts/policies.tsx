import { useEffect, useState } from 'preact/hooks'
import { fetchPolicies, type PolicyInForce } from '../api.ts'
import { MODE_TONES } from '../tones.ts'
import { Badge } from './small.tsx'

/** The policies of the settings in force, in their order, once somebody wants to see them. `version`: of those settings. */
export function Policies({ version }: { version: number }) {
  const [isOpen, setIsOpen] = useState(false)
  const [policies, setPolicies] = useState<readonly PolicyInForce[] | string | undefined>()
  // Anew with each version.
  useEffect(() => {
    if (!isOpen) return
    fetchPolicies().then(setPolicies, (error: unknown) =>
      setPolicies(error instanceof Error ? error.message : String(error)),
    )
  }, [isOpen, version])
  return (
    <details class="policies" onToggle={(event) => setIsOpen(event.currentTarget.open)} data-testid="policies">
      <summary>Policies in force, of settings v{version}</summary>
      {typeof policies === 'string' && <p class="aside">{policies}</p>}
      {typeof policies === 'object' && policies.length === 0 && (
        <p class="aside">There are none: each remediator goes by its own mode.</p>
      )}
      {typeof policies === 'object' && (
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
  return (
    <li>
      <Badge tone={MODE_TONES[mode]}>{mode}</Badge>
      <div class="row-text">
        <p>
          <strong>{name}</strong>:{' '}
          {match.map(({ reason, severity }) => [reason, severity].filter(Boolean).join(' at ')).join(', ')}
        </p>
        <p class="aside">
          {whereOf(selector)} · {ladder.map(rungOf).join(', then ')} ·{' '}
          {windows.length === 0
            ? 'at any time'
            : windows.map(({ cron, duration, timeZone }) => `${cron} for ${duration} (${timeZone})`).join(', ')}
          {coolDown !== undefined && ` · rests for ${coolDown}`}
        </p>
      </div>
    </li>
  )
}

function rungOf({ remediator, attempts }: PolicyInForce['ladder'][number]): string {
  return attempts === undefined ? remediator : `${remediator} up to ${attempts} times`
}

function whereOf(selector: PolicyInForce['selector']): string {
  const kinds = Object.entries(selector).filter(([, names]) => Array.isArray(names))
  return kinds.length === 0
    ? 'on every node'
    : kinds.map(([kind, names]) => `${kind} ${[names].flat().join(', ')}`).join('; ')
}
