/** What was done in an organization, and by whom: looked through, and taken along. */

import { useEffect, useState } from 'preact/hooks'
import { all, get } from '../api'
import { ACTS, worded } from '../acts'
import { Choice, Empty, Field, Icon, Section, Table, Time, values } from '../parts'
import { attempt, docs } from '../state'
import type { Member, Org } from '../types'

interface Noted {
  id: string
  action: string
  actor_id: string | null
  target_id: string | null
  details: Record<string, unknown>
  ip: string
  created_at: string
}

export function Audit({ here }: { here: Org }) {
  const [found, setFound] = useState<Noted[] | null>(null)
  const [next, setNext] = useState<string | null>(null)
  const [wanted, setWanted] = useState(new URLSearchParams())
  const [members, setMembers] = useState<Member[]>([])
  const base = `/orgs/${here.id}/audit`
  const load = (cursor: string | null) =>
    attempt(async () => {
      const query = new URLSearchParams(wanted)
      query.set('limit', '50')
      if (cursor) query.set('cursor', cursor)
      const page = await get<{ items: Noted[]; next_cursor: string | null }>(`${base}?${query}`)
      setFound((before) => (cursor ? [...(before ?? []), ...page.items] : page.items))
      setNext(page.next_cursor)
    })
  useEffect(() => void load(null), [here.id, wanted])
  useEffect(() => void attempt(async () => setMembers(await all<Member>(`/orgs/${here.id}/members`))), [here.id])
  const names = new Map<string | null, string>([
    ...docs.value.map((each): [string, string] => [each.id, each.title || 'Untitled']),
    ...members.map((each): [string, string] => [each.user_id, each.name]),
    [here.id, here.name],
  ])
  return (
    <Section title="Audit log" hint="Who did what, and when. Nothing here can be changed or taken out.">
      <Filters members={members} onWish={setWanted} />
      {found?.length === 0 && <Empty icon="search" title="Nothing like that was done" />}
      {!!found?.length && (
        <Table heads={['When', 'Who', 'What', 'To', 'Details', 'From']}>
          {found.map((each) => (
            <tr key={each.id}>
              <td>
                <Time at={each.created_at} />
              </td>
              <td>{each.actor_id ? (names.get(each.actor_id) ?? 'Somebody who left') : '–'}</td>
              <td>{worded(each.action)}</td>
              <td title={each.target_id ?? undefined}>{names.get(each.target_id) ?? each.target_id?.slice(0, 8)}</td>
              <td class="details">
                <small>
                  {Object.entries(each.details)
                    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
                    .join(', ')}
                </small>
              </td>
              <td>
                <small>{each.ip}</small>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <div class="actions">
        {next && (
          <button type="button" onClick={() => void load(next)}>
            Show more
          </button>
        )}
        <span class="grow" />
        {(['csv', 'jsonl'] as const).map((format) => (
          <a key={format} class="button" href={`/api/v1${base}/export?${exported(wanted, format)}`} download>
            <Icon name="download" /> {format === 'csv' ? 'Export as CSV' : 'Export as JSON lines'}
          </a>
        ))}
      </div>
    </Section>
  )
}

function Filters({ members, onWish }: { members: Member[]; onWish: (wanted: URLSearchParams) => void }) {
  const submit = (event: Event) => {
    const { action, actor_id, since, until } = values(event)
    const wish = { action, actor_id, since: since && day(since), until: until && day(until, 1) }
    onWish(new URLSearchParams(Object.entries(wish).filter((pair): pair is [string, string] => Boolean(pair[1]))))
  }
  return (
    <form class="inline" onSubmit={submit}>
      <Choice label="What" name="action" options={[['', 'Everything'], ...ACTS.map((act): [string, string] => [act, worded(act)])]} />
      <Choice label="Who" name="actor_id" options={[['', 'Everybody'], ...members.map((each): [string, string] => [each.user_id, each.name])]} />
      <Field label="From" name="since" type="date" />
      <Field label="Until" name="until" type="date" />
      <button>Show</button>
    </form>
  )
}

/** The moment a day begins where the reader is, or so many days later. */
function day(text: string, later = 0): string {
  const [year = 0, month = 1, date = 1] = text.split('-').map(Number)
  return new Date(year, month - 1, date + later).toISOString()
}

function exported(wanted: URLSearchParams, format: string): string {
  const query = new URLSearchParams(wanted)
  query.set('format', format)
  return query.toString()
}
