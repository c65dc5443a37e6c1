/** Who may read and write a document. */

import { useEffect, useState } from 'preact/hooks'
import { all, del, get, patch, post, put } from '../api'
import { Avatar, Choice, Copy, Dialog, Field, Icon, Time, values } from '../parts'
import { attempt, docs, org, took } from '../state'
import type { Doc, Group, Level, Member, OrgLevel } from '../types'

const LEVELS: [Level, string][] = [
  ['read', 'Can read'],
  ['comment', 'Can comment'],
  ['write', 'Can write'],
  ['manage', 'Can manage'],
]
const ORG_LEVELS: [OrgLevel, string][] = [
  ['none', 'No access'],
  ['read', 'Can read'],
  ['comment', 'Can comment'],
  ['write', 'Can write'],
]

interface Grant {
  kind: 'user' | 'group' | 'invitation'
  id: string
  name: string
  level: Level
}

interface Link {
  id: string
  level: Level
  expires_at: string | null
  has_password: boolean
  created_at: string
}

interface Asked {
  id: string
  name: string
  level: Level
}

export function ShareDialog({ doc, onClose }: { doc: Doc; onClose: () => void }) {
  const base = `/documents/${doc.id}`
  const known = docs.value.find((each) => each.id === doc.id) ?? doc
  const open = async (org_access: OrgLevel) => {
    if (await attempt(() => put(`${base}/access`, { org_access }).then(() => true))) took({ ...known, org_access })
  }
  return (
    <Dialog title={`Share “${known.title || 'Untitled'}”`} onClose={onClose}>
      <Grants base={base} orgId={doc.org_id} />
      <section>
        <div class="row">
          <Icon name="user" />
          <strong class="grow">Everybody in {org.value?.name}</strong>
          <select aria-label="What members may do" value={known.org_access} onChange={(event) => void open(event.currentTarget.value as OrgLevel)}>
            {ORG_LEVELS.map(([level, label]) => (
              <option key={level} value={level}>
                {label}
              </option>
            ))}
          </select>
        </div>
      </section>
      <Links base={base} />
    </Dialog>
  )
}

function Grants({ base, orgId }: { base: string; orgId: string }) {
  const [grants, setGrants] = useState<Grant[]>([])
  // Whoever is quick has typed a name before the names have come: what was typed is looked up when they are here.
  const [coming] = useState(() => attempt(() => Promise.all([all<Member>(`/orgs/${orgId}/members`), all<Group>(`/orgs/${orgId}/groups`)])))
  const [[members, groups], setNames] = useState<[Member[], Group[]]>([[], []])
  const [asked, setAsked] = useState<Asked[]>([])
  const load = () =>
    attempt(async () => {
      setGrants((await get<{ items: Grant[] }>(`${base}/grants`)).items)
      setAsked((await get<{ items: Asked[] }>(`${base}/access-requests`)).items)
    })
  useEffect(() => {
    void load()
    void coming.then((found) => found && setNames(found))
  }, [base])
  const change = (work: () => Promise<unknown>) => void attempt(work).then(load)
  const add = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { who = '', level } = values(event)
    const path = grantee(who, ...((await coming) ?? [members, groups]))
    const given = path ? () => put(`${base}/grants/${path}`, { level }) : () => post(`${base}/grants`, { email: who, level })
    if (!(await attempt(() => given().then(() => true)))) return
    form.reset()
    await load()
  }
  const alter = (grant: Grant, level: string) =>
    change(async () => {
      if (level === '') await del(`${base}/grants/${grant.kind}s/${grant.id}`)
      else await put(`${base}/grants/${grant.kind}s/${grant.id}`, { level })
    })
  return (
    <section>
      <form class="inline" onSubmit={add}>
        <Field label="Person, group, or email address" name="who" list="grantees" autocomplete="off" required />
        <datalist id="grantees">
          {members.map((each) => (
            <option key={each.user_id} value={each.email}>
              {each.name}
            </option>
          ))}
          {groups.map((each) => (
            <option key={each.id} value={each.name} />
          ))}
        </datalist>
        <Choice label="They" name="level" options={LEVELS} />
        <button class="primary">Share</button>
      </form>
      <ul class="list" aria-label="Shared with">
        {asked.map((each) => (
          <li key={each.id} class="row">
            <Avatar id={each.id} name={each.name} plain />
            <span class="grow">
              <strong>{each.name}</strong>
              <small>asks to {each.level}</small>
            </span>
            <button type="button" onClick={() => change(() => post(`${base}/access-requests/${each.id}/deny`))}>
              Deny
            </button>
            <button type="button" class="primary" onClick={() => change(() => post(`${base}/access-requests/${each.id}/approve`))}>
              Allow
            </button>
          </li>
        ))}
        {grants.map((each) => (
          <li key={each.id} class="row">
            <Avatar id={each.id} name={each.name} plain />
            <span class="grow">
              <strong>{each.name}</strong>
              {each.kind !== 'user' && <small>{each.kind === 'group' ? 'Group' : 'Invited, has not joined yet'}</small>}
            </span>
            <select aria-label={`What ${each.name} may do`} value={each.level} onChange={(event) => alter(each, event.currentTarget.value)}>
              {LEVELS.filter(([level]) => each.kind !== 'invitation' || level === each.level).map(([level, label]) => (
                <option key={level} value={level}>
                  {label}
                </option>
              ))}
              <option value="">Remove</option>
            </select>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The path of a member (by address or name) or a group; null for an address that is nobody's here. */
function grantee(who: string, members: Member[], groups: Group[]): string | null {
  const wanted = who.trim().toLowerCase()
  const member = members.find(({ email, name }) => email.toLowerCase() === wanted || name.toLowerCase() === wanted)
  if (member) return `users/${member.user_id}`
  const group = groups.find(({ name }) => name.toLowerCase() === wanted)
  return group ? `groups/${group.id}` : null
}

const DAY_MS = 86_400_000

function Links({ base }: { base: string }) {
  const [links, setLinks] = useState<Link[]>([])
  const [made, setMade] = useState<string | null>(null)
  const load = () => attempt(async () => setLinks((await get<{ items: Link[] }>(`${base}/share-links`)).items))
  useEffect(() => void load(), [base])
  const make = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { level, password, days } = values(event)
    const expires_at = days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null
    const answer = await attempt(() => post<{ url: string }>(`${base}/share-links`, { level, expires_at, password: password || null }))
    if (!answer) return
    setMade(answer.url)
    form.reset()
    await load()
  }
  const alter = (link: Link, level: string) =>
    void attempt(() => (level ? patch(`${base}/share-links/${link.id}`, { level }) : del(`${base}/share-links/${link.id}`))).then(load)
  return (
    <section>
      <h3>Links for anybody, without an account</h3>
      {made && (
        <div class="notice">
          <p>Copy the link now: it is not shown again.</p>
          <Copy label="The link" text={made} />
        </div>
      )}
      {!!links.length && (
        <ul class="list" aria-label="Links">
          {links.map((each) => (
            <li key={each.id} class="row">
              <Icon name="link" />
              <span class="grow">
                <strong>Link</strong>
                <small>
                  made <Time at={each.created_at} />
                  {each.has_password && ' · with a password'}
                  {each.expires_at && (
                    <>
                      {' '}
                      · ends <Time at={each.expires_at} />
                    </>
                  )}
                </small>
              </span>
              <select aria-label="What the link allows" value={each.level} onChange={(event) => alter(each, event.currentTarget.value)}>
                {LEVELS.slice(0, 3).map(([level, label]) => (
                  <option key={level} value={level}>
                    {label}
                  </option>
                ))}
                <option value="">Revoke</option>
              </select>
            </li>
          ))}
        </ul>
      )}
      <form class="inline" onSubmit={make}>
        <Choice label="Whoever has it" name="level" options={LEVELS.slice(0, 3)} />
        <Choice
          label="It ends"
          name="days"
          options={[
            ['7', 'in a week'],
            ['30', 'in a month'],
            ['', 'never'],
          ]}
        />
        <Field label="Password, if any" name="password" type="password" autocomplete="new-password" minLength={4} />
        <button>Create link</button>
      </form>
    </section>
  )
}
