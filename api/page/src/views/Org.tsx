/** An organization: its people, what is set in it, and taking everything along. */

import { useEffect, useState } from 'preact/hooks'
import { all, del, get, patch, post } from '../api'
import { sure } from '../asking'
import { Menu, type Act } from '../menu'
import { Avatar, Check, Choice, Copy, count, Empty, Field, following, Icon, Section, size, Time, values } from '../parts'
import { go } from '../router'
import { attempt, loadOrgs, me, orgs, say } from '../state'
import type { Export, Member, Org, Role } from '../types'
import { Audit } from './Audit'
import { Backups } from './Backups'
import { Groups } from './Groups'
import { Retention } from './Retention'
import { Sheet } from './Shell'
import { UsageView } from './Usage'
import { Webhooks } from './Webhooks'

interface Invitation {
  id: string
  email: string | null
  role: Role
  expires_at: string
  token: string | null
}

const ROLES: [Role, string][] = [
  ['owner', 'Owner'],
  ['admin', 'Admin'],
  ['member', 'Member'],
  ['guest', 'Guest'],
]

const TABS: [string, string][] = [
  ['', 'People'],
  ['groups', 'Groups'],
  ['settings', 'Settings'],
]
/** Of those who manage it. */
const MORE_TABS: [string, string][] = [
  ['usage', 'Usage'],
  ['webhooks', 'Webhooks'],
  ['audit', 'Audit'],
  ['backups', 'Backups'],
]

/** Where there is no room for all tabs, the one that is open is in view. */
function shown(tabs: HTMLElement | null): void {
  tabs?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

export function OrgView({ id, tab = '' }: { id: string; tab?: string }) {
  const here = orgs.value.find((each) => each.id === id)
  const manages = here?.role === 'owner' || here?.role === 'admin'
  const tabs = manages ? [...TABS, ...MORE_TABS] : TABS
  if (!here || !tabs.some(([name]) => name === tab))
    return (
      <Sheet title="Not found">
        <Empty icon="search" title={here ? 'There is nothing here' : 'There is no such organization, or you do not belong to it'} />
      </Sheet>
    )
  return (
    <Sheet title={here.name} hint={`You are ${manages ? 'an' : 'a'} ${here.role} here.`}>
      <nav class="tabs" aria-label="Organization" ref={shown}>
        {tabs.map(([name, label]) => (
          <a key={name} href={`/org/${id}${name && `/${name}`}`} aria-current={name === tab ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      <Tab name={tab} here={here} manages={manages} />
    </Sheet>
  )
}

function Tab({ name, here, manages }: { name: string; here: Org; manages: boolean }) {
  switch (name) {
    case 'groups':
      return <Groups here={here} manages={manages} />
    case 'usage':
      return <UsageView here={here} />
    case 'webhooks':
      return <Webhooks here={here} />
    case 'audit':
      return <Audit here={here} />
    case 'backups':
      return <Backups here={here} />
    case 'settings':
      return (
        <>
          {manages && <Settings key={here.id} here={here} />}
          <Retention here={here} manages={manages} />
          <Archive here={here} />
          {here.role === 'owner' && <Deletion here={here} />}
        </>
      )
    default:
      return <People here={here} manages={manages} />
  }
}

function People({ here, manages }: { here: Org; manages: boolean }) {
  const [members, setMembers] = useState<Member[]>([])
  const [invitations, setInvitations] = useState<Invitation[]>([])
  const [made, setMade] = useState<string | null>(null)
  const base = `/orgs/${here.id}`
  const load = () =>
    attempt(async () => {
      setMembers(await all<Member>(`${base}/members`))
      if (manages) setInvitations(await all<Invitation>(`${base}/invitations`))
    })
  useEffect(() => void load(), [here.id, manages])
  const change = (work: () => Promise<unknown>) => void attempt(work).then(load)
  const told = ({ token }: Invitation) => setMade(`${location.origin}/invitations#token=${token}`)
  const invite = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { email, role } = values(event)
    const answer = await attempt(() => post<Invitation>(`${base}/invitations`, { email, role }))
    if (!answer) return
    told(answer)
    form.reset()
    await load()
  }
  const remove = async (member: Member) => {
    const self = member.user_id === me.value?.id
    const asked = self
      ? sure(`Leave ${here.name}?`, 'You can open its documents again only if you are invited again.', 'Leave')
      : sure(`Remove ${member.name}?`, 'They are out at once, also of documents they have open. What they wrote stays.', 'Remove')
    if (!(await asked) || !(await attempt(() => del(`${base}/members/${member.user_id}`).then(() => true)))) return
    if (!self) return void (await load())
    await attempt(loadOrgs)
    go('/')
  }
  const transfer = async (member: Member) => {
    const text = `${member.name} owns the organization then, and you become an admin: you can no longer delete it, nor make owners.`
    if (!(await sure(`Make ${member.name} the owner?`, text, 'Transfer ownership'))) return
    await attempt(async () => {
      await post(`${base}/transfer`, { user_id: member.user_id })
      say(`${member.name} owns ${here.name} now.`)
      await loadOrgs()
    })
    await load()
  }
  const acts = (each: Member): Act[] => [
    ...(here.role === 'owner' && each.user_id !== me.value?.id && each.role !== 'guest' && !each.suspended_at
      ? [{ label: 'Transfer ownership', run: () => void transfer(each) }]
      : []),
    ...(manages && each.user_id !== me.value?.id
      ? [
          each.suspended_at
            ? { label: 'Let in again', run: () => change(() => post(`${base}/members/${each.user_id}/reactivate`)) }
            : { label: 'Suspend', run: () => change(() => post(`${base}/members/${each.user_id}/suspend`)) },
        ]
      : []),
    { label: each.user_id === me.value?.id ? 'Leave' : 'Remove', danger: true, run: () => void remove(each) },
  ]
  return (
    <Section title="People" hint={count(members.length, 'person', 'people')}>
      <ul class="list boxed" aria-label="Members">
        {members.map((each) => (
          <li key={each.user_id} class="row">
            <Avatar id={each.user_id} name={each.name} plain />
            <span class="grow">
              <strong>{each.name}</strong>
              <small>{each.email}</small>
            </span>
            {each.suspended_at && <span class="tag warn">Suspended</span>}
            {manages ? (
              <select
                aria-label={`Role of ${each.name}`}
                value={each.role}
                onChange={(event) => change(() => patch(`${base}/members/${each.user_id}`, { role: event.currentTarget.value }))}
              >
                {ROLES.filter(([role]) => role !== 'owner' || here.role === 'owner' || each.role === 'owner').map(([role, label]) => (
                  <option key={role} value={role}>
                    {label}
                  </option>
                ))}
              </select>
            ) : (
              <span class="hint">{ROLES.find(([role]) => role === each.role)?.[1]}</span>
            )}
            {(manages || each.user_id === me.value?.id) && <Menu label={`More about ${each.name}`} acts={acts(each)} />}
          </li>
        ))}
        {invitations.map((each) => (
          <li key={each.id} class="row invited">
            <Icon name="user" />
            <span class="grow">
              <strong>{each.email ?? 'Whoever has the link'}</strong>
              <small>
                Invited as {each.role} · ends <Time at={each.expires_at} />
              </small>
            </span>
            <Menu
              label={`More about the invitation of ${each.email ?? 'anybody'}`}
              acts={[
                { label: 'Send again', run: () => change(async () => told(await post<Invitation>(`${base}/invitations/${each.id}/resend`))) },
                { label: 'Withdraw', danger: true, run: () => change(() => del(`${base}/invitations/${each.id}`)) },
              ]}
            />
          </li>
        ))}
      </ul>
      {(manages || here.members_may_invite) && (
        <form class="inline" onSubmit={invite}>
          <Field label="Invite by email" name="email" type="email" required />
          <Choice label="As" name="role" options={ROLES.slice(manages ? 1 : 2)} value="member" />
          <button class="primary">Invite</button>
        </form>
      )}
      {made && (
        <div class="notice">
          <p>They have been sent a mail. You can also give them this link yourself:</p>
          <Copy label="Link of the invitation" text={made} />
        </div>
      )}
    </Section>
  )
}

function Settings({ here }: { here: Org }) {
  const change = async (changed: Partial<Org>, told: string) => {
    if (!(await attempt(() => patch<Org>(`/orgs/${here.id}`, changed)))) return
    orgs.value = orgs.value.map((each) => (each.id === here.id ? { ...each, ...changed } : each))
    say(told)
  }
  return (
    <Section title="Settings">
      <form class="inline" onSubmit={(event) => void change({ name: values(event).name }, 'Renamed.')}>
        <Field label="Name of the organization" name="name" defaultValue={here.name} maxLength={200} required />
        <button>Rename</button>
      </form>
      <Choice
        label="New documents: everybody here"
        value={here.default_org_access}
        options={[
          ['none', 'has no access'],
          ['read', 'can read'],
          ['comment', 'can comment'],
          ['write', 'can write'],
        ]}
        onChange={(event) => void change({ default_org_access: event.currentTarget.value as Org['default_org_access'] }, 'Set for documents made from now on.')}
      />
      <Check
        label="Members may invite people"
        checked={here.members_may_invite}
        onChange={(event) => void change({ members_may_invite: event.currentTarget.checked }, 'Saved.')}
      />
      <Check
        label="Members may share outside"
        hint="With guests, and by links for anybody."
        checked={here.members_may_share}
        onChange={(event) => void change({ members_may_share: event.currentTarget.checked }, 'Saved.')}
      />
    </Section>
  )
}

function Archive({ here }: { here: Org }) {
  const [now, setNow] = useState<Export | null>(null)
  const make = async () => {
    const first = await attempt(() => post<Export>(`/orgs/${here.id}/exports`, { format: 'zip' }))
    await following(first, (id) => attempt(() => get<Export>(`/exports/${id}`)), setNow)
  }
  const busy = now?.state === 'pending' || now?.state === 'running'
  return (
    <Section title="Take everything along" hint="A zip of every document you may read, with its history. It can be checked without Doxie.">
      <div aria-live="polite">
        {busy && (
          <>
            <progress aria-label="Making the archive" max={now.total ?? undefined} value={now.total ? now.done : undefined} />
            <p class="hint">{now.total ? `${now.done} of ${count(now.total, 'document')}` : 'Starting…'}</p>
          </>
        )}
        {now?.state === 'failed' && <p class="error">{now.error}</p>}
        {now?.state === 'succeeded' && now.download_url && (
          <a class="primary" href={now.download_url} download>
            Download archive {now.bytes !== null && `(${size(now.bytes)})`}
          </a>
        )}
      </div>
      {!busy && now?.state !== 'succeeded' && (
        <div>
          <button type="button" onClick={() => void make()}>
            Export all documents
          </button>
        </div>
      )}
    </Section>
  )
}

function Deletion({ here }: { here: Org }) {
  const submit = async (event: Event) => {
    const { name } = values(event)
    if (!(await attempt(() => del(`/orgs/${here.id}`, { name }).then(() => true)))) return
    say('Deleted. For 30 days it can be restored under “Account and security”.')
    await attempt(loadOrgs)
    go('/')
  }
  return (
    <Section title="Delete the organization" hint="Everybody is out at once. For 30 days an owner can restore it; then it is erased.">
      <details>
        <summary>Delete {here.name}</summary>
        <form class="inline" onSubmit={submit}>
          <Field label="Type its name to confirm" name="name" autocomplete="off" required />
          <button class="danger">Delete</button>
        </form>
      </details>
    </Section>
  )
}
