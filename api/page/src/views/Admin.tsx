/** Operations: backups and the last drill. */

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { size, Time } from '../parts'
import { attempt } from '../state'
import { MenuButton } from './Shell'

interface Backup {
  id: string
  kind: string
  state: string
  bytes: number | null
  started_at: string
  error: string | null
}

interface Drill {
  id: string
  state: string
  started_at: string
  rpo_seconds: number | null
  rto_seconds: number | null
  documents: number | null
}

export function Admin() {
  const [backups, setBackups] = useState<Backup[]>([])
  const [drills, setDrills] = useState<Drill[]>([])
  useEffect(
    () =>
      void attempt(async () => {
        setBackups((await get<{ items: Backup[] }>('/operations/backups')).items)
        setDrills((await get<{ items: Drill[] }>('/operations/drills')).items)
      }),
    [],
  )
  const drill = drills[0]
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
        <h1>Operations</h1>
      </header>
      <section class="card wide">
        <h2>Last restore drill</h2>
        {drill ? (
          <p>
            <span class={`state ${drill.state}`}>{drill.state}</span> <Time at={drill.started_at} /> · {drill.documents} documents · RPO{' '}
            {drill.rpo_seconds} s · RTO {drill.rto_seconds} s
          </p>
        ) : (
          <p class="hint">None yet.</p>
        )}
      </section>
      <section class="card wide">
        <h2>Backups</h2>
        <table>
          <thead>
            <tr>
              <th>Started</th>
              <th>Kind</th>
              <th>State</th>
              <th>Size</th>
            </tr>
          </thead>
          <tbody>
            {backups.map((each) => (
              <tr key={each.id}>
                <td>
                  <Time at={each.started_at} />
                </td>
                <td>{each.kind}</td>
                <td>
                  <span class={`state ${each.state}`} title={each.error ?? ''}>
                    {each.state}
                  </span>
                </td>
                <td>{each.bytes !== null && size(each.bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  )
}
