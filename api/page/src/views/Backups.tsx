/** Backups of one organization: those there are, and making one now. */

import { useEffect, useState } from 'preact/hooks'
import { all, get, post } from '../api'
import { count, Empty, Section, size, Table, Time } from '../parts'
import { attempt, say } from '../state'
import type { Member, Org } from '../types'

interface Backup {
  id: string
  kind: 'scheduled' | 'requested' | 'operator'
  state: 'pending' | 'running' | 'succeeded' | 'incomplete' | 'failed'
  taken_at: string | null
  documents: number | null
  objects: number | null
  missing: number
  bytes: number | null
  error: string | null
  requested_by: string | null
  created_at: string
}

const STATES: Record<Backup['state'], [string, string]> = {
  pending: ['Waiting', 'warn'],
  running: ['Running', 'warn'],
  succeeded: ['Good', 'good'],
  incomplete: ['Incomplete', 'bad'],
  failed: ['Failed', 'bad'],
}
const EVERY_MS = 1500

export function Backups({ here }: { here: Org }) {
  const [backups, setBackups] = useState<Backup[] | null>(null)
  const [names, setNames] = useState(new Map<string, string>())
  const base = `/orgs/${here.id}/backups`
  const load = () => attempt(async () => setBackups((await get<{ items: Backup[] }>(`${base}?limit=50`)).items))
  const busy = backups?.some(({ state }) => state === 'pending' || state === 'running')
  useEffect(() => {
    void load()
    void attempt(async () => setNames(new Map((await all<Member>(`/orgs/${here.id}/members`)).map((each) => [each.user_id, each.name]))))
  }, [here.id])
  useEffect(() => {
    const looking = busy ? setInterval(load, EVERY_MS) : 0
    return () => clearInterval(looking)
  }, [busy])
  const make = () =>
    attempt(async () => {
      await post(base)
      say('A backup is being made.')
    }).then(load)
  const why = (each: Backup) => {
    if (each.kind === 'scheduled') return 'Nightly'
    return each.kind === 'operator' ? 'By an operator' : `Asked for by ${names.get(each.requested_by ?? '') ?? 'somebody'}`
  }
  return (
    <Section title="Backups" hint="Every night everything of this organization is saved by itself, stored, and read back.">
      {backups?.length === 0 && (
        <Empty icon="shield" title="No backup yet">
          <p>The first one is made tonight, or now if you want.</p>
        </Empty>
      )}
      {!!backups?.length && (
        <Table heads={['Made', 'Why', 'Result', 'In it', 'Size']}>
          {backups.map((each) => {
            const [word, tone] = STATES[each.state]
            return (
              <tr key={each.id}>
                <td>
                  <Time at={each.taken_at ?? each.created_at} />
                </td>
                <td>{why(each)}</td>
                <td>
                  <span class={`tag ${tone}`}>{word}</span>
                  {each.missing > 0 && <small class="error">{count(each.missing, 'object')} missing</small>}
                  {each.error && <small class="error">{each.error}</small>}
                </td>
                <td>{each.documents !== null && `${count(each.documents, 'document')}, ${count(each.objects ?? 0, 'object')}`}</td>
                <td>{each.bytes !== null && size(each.bytes)}</td>
              </tr>
            )
          })}
        </Table>
      )}
      <div>
        <button type="button" class="primary" disabled={busy} onClick={() => void make()}>
          {busy ? 'A backup is being made…' : 'Back up now'}
        </button>
      </div>
    </Section>
  )
}
