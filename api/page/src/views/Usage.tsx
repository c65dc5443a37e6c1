/** How much an organization has, and how much it may have. */

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { Section, size } from '../parts'
import { attempt } from '../state'
import type { Org } from '../types'

interface Measured {
  used: number
  /** Null: as much as there is. */
  limit: number | null
}

interface Usage {
  members: Measured
  documents: Measured
  bytes: Measured
}

const NEARLY = 0.9
const plainly = (number: number): string => number.toLocaleString()

export function UsageView({ here }: { here: Org }) {
  const [now, setNow] = useState<Usage | null>(null)
  useEffect(() => void attempt(async () => setNow(await get<Usage>(`/orgs/${here.id}/usage`))), [here.id])
  if (!now) return null
  return (
    <Section title="What it has" hint="Whoever runs this server sets how much that may be.">
      {isFull(now.bytes) && (
        <div class="notice bad" role="alert">
          <p>
            <strong>There is no room left.</strong> Nobody loses anything, and everything can be read; but what is written now is not saved until there is room.
          </p>
          <Room />
        </div>
      )}
      {isFull(now.documents) && (
        <div class="notice bad" role="alert">
          <p>
            <strong>No document can be added.</strong> Those that are there can be written on.
          </p>
          <Room />
        </div>
      )}
      {isFull(now.members) && (
        <div class="notice bad" role="alert">
          <p>
            <strong>Nobody can join.</strong> Remove somebody, or ask whoever runs this server for more.
          </p>
        </div>
      )}
      <div class="figures">
        <Figure name="Storage" hint="Every edit since the beginning, of all documents" measured={now.bytes} say={size} />
        <Figure name="Documents" hint="With those in the trash" measured={now.documents} say={plainly} />
        <Figure name="Members" hint="With guests and suspended members" measured={now.members} say={plainly} />
      </div>
    </Section>
  )
}

/** What can be done about it. */
function Room() {
  return (
    <p>
      Delete documents for good in the <a href="/trash">trash</a>, or ask whoever runs this server for more.
    </p>
  )
}

interface FigureProps {
  name: string
  hint: string
  measured: Measured
  say: (amount: number) => string
}

function Figure({ name, hint, measured, say }: FigureProps) {
  const { used, limit } = measured
  const nearly = limit !== null && used >= limit * NEARLY
  return (
    <div class="figure" role="group" aria-label={name}>
      <span class="hint">{name}</span>
      <strong>{say(used)}</strong>
      {limit === null ? (
        <span class="hint">No limit</span>
      ) : (
        <>
          <progress class={nearly ? 'nearly' : undefined} aria-label={`${name} used`} max={Math.max(limit, 1)} value={limit ? Math.min(used, limit) : 1} />
          <span class={nearly ? 'warn' : 'hint'}>
            of {say(limit)}
            {isFull(measured) ? ': full' : nearly && ': nearly full'}
          </span>
        </>
      )}
      <small>{hint}</small>
    </div>
  )
}

function isFull({ used, limit }: Measured): boolean {
  return limit !== null && used >= limit
}
