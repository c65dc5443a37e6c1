/** Who may read and write a document. */

import { useEffect, useState } from 'preact/hooks'
import { all, del, get, post, put } from '../api'
import { Avatar, Dialog, Field, Time, values } from '../parts'
import { attempt, docs, loadDocs, org, say } from '../state'
import type { Doc, Member } from '../types'

export const LEVELS = ['read', 'comment', 'write', 'manage']

interface Grant {
  kind: 'user' | 'group' | 'invitation'
  id: string
  name: string
  level: string
}

interface Link {
  id: string
  level: string
  expires_at: string | null
  has_password: boolean
  created_at: string
}

export function ShareDialog({ doc, onClose }: { doc: Doc; onClose: () => void }) {
  const [grants, setGrants] = useState<Grant[]>([])
  const [links, setLinks] = useState<Link[]>([])
  const [members, setMembers] = useState<Member[]>([])
  const [made, setMade] = useState<string | null>(null)
  const base = `/documents/${doc.id}`
  const load = () =>
    attempt(async () => {
      setGrants((await get<{ items: Grant[] }>(`${base}/grants`)).items)
      setLinks((await get<{ items: Link[] }>(`${base}/share-links`)).items)
      setMembers(await all<Member>(`/orgs/${doc.org_id}/members`))
    })
  useEffect(() => void load(), [doc.id])
  const open = async (org_access: string) => {
    if (await attempt(() => put(`${base}/access`, { org_access }).then(() => true))) await loadDocs()
  }
  const grant = async (event: Event) => {
    const { who = '', level } = values(event)
    const given = who.includes('@')
      ? () => post(`${base}/grants`, { email: who, level })
      : () => put(`${base}/grants/users/${members.find((each) => each.name === who)?.user_id ?? who}`, { level })
    if (await attempt(() => given().then(() => true))) await load()
  }
  const link = async (event: Event) => {
    const { level, password, days } = values(event)
    const expires_at = days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : null
    const answer = await attempt(() => post<{ url: string }>(`${base}/share-links`, { level, expires_at, password: password || null }))
    if (!answer) return
    setMade(answer.url)
    await load()
  }
  return (
    <Dialog title="Share" onClose={onClose}>
      <section>
        <h3>Everybody in {org.value?.name}</h3>
        <select aria-label="What members may do" value={docs.value.find((each) => each.id === doc.id)?.org_access ?? 'write'} onChange={(event) => void open(event.currentTarget.value)}>
          <option value="none">no access</option>
          <option value="read">can read</option>
          <option value="comment">can comment</option>
          <option value="write">can write</option>
        </select>
      </section>
      <section>
        <h3>People and groups</h3>
        <ul class="list">
          {grants.map((each) => (
            <li key={each.id} class="row">
              <Avatar id={each.id} name={each.name} />
              <span class="grow">{each.name}</span>
              <span>{each.level}</span>
              <button type="button" class="link" onClick={() => void attempt(() => del(`${base}/grants/${each.kind}s/${each.id}`)).then(load)}>
                Remove
              </button>
            </li>
          ))}
        </ul>
        <form class="inline" onSubmit={grant}>
          <Field label="Member, or an address" name="who" list="members" required />
          <datalist id="members">
            {members.map((each) => (
              <option key={each.user_id}>{each.name}</option>
            ))}
          </datalist>
          <LevelSelect />
          <button>Add</button>
        </form>
      </section>
      <section>
        <h3>Links for anybody</h3>
        <ul class="list">
          {links.map((each) => (
            <li key={each.id} class="row">
              <span class="grow">
                {each.level}
                {each.has_password && ' · with password'}
                {each.expires_at && (
                  <>
                    {' '}
                    · ends <Time at={each.expires_at} />
                  </>
                )}
              </span>
              <button type="button" class="link" onClick={() => void attempt(() => del(`${base}/share-links/${each.id}`)).then(load)}>
                Revoke
              </button>
            </li>
          ))}
        </ul>
        {made && (
          <div class="row">
            <input class="grow" readOnly value={made} aria-label="The link" onFocus={(event) => event.currentTarget.select()} />
            <button type="button" onClick={() => void navigator.clipboard.writeText(made).then(() => say('Copied.'))}>
              Copy
            </button>
          </div>
        )}
        <form class="inline" onSubmit={link}>
          <LevelSelect without="manage" />
          <Field label="Password (optional)" name="password" type="password" autocomplete="new-password" />
          <Field label="Days" name="days" type="number" min="1" max="365" value="7" />
          <button>Create link</button>
        </form>
      </section>
    </Dialog>
  )
}

function LevelSelect({ without }: { without?: string }) {
  return (
    <select name="level" aria-label="Level">
      {LEVELS.filter((level) => level !== without).map((level) => (
        <option key={level} value={level}>
          can {level}
        </option>
      ))}
    </select>
  )
}
