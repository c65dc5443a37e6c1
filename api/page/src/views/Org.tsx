/** The people of an organization. */

import { useEffect, useState } from 'preact/hooks'
import { all, del, patch, post } from '../api'
import { Avatar, Field, Time, values } from '../parts'
import { attempt, me, org, say } from '../state'
import type { Member, Role } from '../types'
import { MenuButton } from './Shell'

interface Invitation {
  id: string
  email: string
  role: Role
  expires_at: string
  token: string | null
}

const ROLES: Role[] = ['owner', 'admin', 'member', 'guest']

export function OrgView({ id }: { id: string }) {
  const [members, setMembers] = useState<Member[]>([])
  const [invitations, setInvitations] = useState<Invitation[]>([])
  const [made, setMade] = useState<string | null>(null)
  const manages = org.value?.role === 'owner' || org.value?.role === 'admin'
  const load = () =>
    attempt(async () => {
      setMembers(await all<Member>(`/orgs/${id}/members`))
      if (manages) setInvitations(await all<Invitation>(`/orgs/${id}/invitations`))
    })
  useEffect(() => void load(), [id, manages])
  const invite = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { email, role } = values(event)
    const answer = await attempt(() => post<Invitation>(`/orgs/${id}/invitations`, { email, role }))
    if (!answer) return
    setMade(`${location.origin}/invitations#token=${answer.token}`)
    form.reset()
    await load()
  }
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
        <h1>{org.value?.name}</h1>
      </header>
      <section class="card wide">
        <h2>Members</h2>
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Email</th>
              <th>Role</th>
              <th aria-label="Actions" />
            </tr>
          </thead>
          <tbody>
            {members.map((each) => (
              <tr key={each.user_id}>
                <td>
                  <Avatar id={each.user_id} name={each.name} /> {each.name}
                </td>
                <td>{each.email}</td>
                <td>
                  {manages ? (
                    <select
                      aria-label={`Role of ${each.name}`}
                      value={each.role}
                      onChange={(event) =>
                        void attempt(() => patch(`/orgs/${id}/members/${each.user_id}`, { role: event.currentTarget.value })).then(load)
                      }
                    >
                      {ROLES.map((role) => (
                        <option key={role}>{role}</option>
                      ))}
                    </select>
                  ) : (
                    each.role
                  )}
                </td>
                <td>
                  {(manages || each.user_id === me.value?.id) && (
                    <button type="button" class="link" onClick={() => void attempt(() => del(`/orgs/${id}/members/${each.user_id}`)).then(load)}>
                      {each.user_id === me.value?.id ? 'Leave' : 'Remove'}
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {manages && (
        <section class="card wide">
          <h2>Invite</h2>
          <form class="inline" onSubmit={invite}>
            <Field label="Email" name="email" type="email" required />
            <select name="role" aria-label="Role">
              <option>member</option>
              <option>admin</option>
              <option>guest</option>
            </select>
            <button class="primary">Invite</button>
          </form>
          {made && (
            <div class="row">
              <input class="grow" readOnly value={made} aria-label="Link of the invitation" onFocus={(event) => event.currentTarget.select()} />
              <button type="button" onClick={() => void navigator.clipboard.writeText(made).then(() => say('Copied.'))}>
                Copy
              </button>
            </div>
          )}
          <ul class="list">
            {invitations.map((each) => (
              <li key={each.id} class="row">
                <span class="grow">
                  {each.email} · {each.role} · ends <Time at={each.expires_at} />
                </span>
                <button type="button" class="link" onClick={() => void attempt(() => del(`/orgs/${id}/invitations/${each.id}`)).then(load)}>
                  Withdraw
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
