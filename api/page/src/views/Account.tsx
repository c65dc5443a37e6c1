/** Oneself: name and address, how one signs in, what comes by mail, where one is signed in. */

import { useEffect, useState } from 'preact/hooks'
import { get, patch, post } from '../api'
import { Field, Icon, Section, Time, values } from '../parts'
import { attempt, loadOrgs, me, say } from '../state'
import type { User } from '../types'
import { SignInWays } from './Factors'
import { MailSettings } from './Mailing'
import { Sessions } from './Sessions'
import { Sheet } from './Shell'
import { Tokens } from './Tokens'

export function Account() {
  return (
    <Sheet title="Account and security" hint={me.value?.email}>
      <Profile />
      <Password />
      <SignInWays />
      <MailSettings />
      <Sessions />
      <Tokens />
      <Deleted />
    </Sheet>
  )
}

function Profile() {
  const rename = async (event: Event) => {
    const { name } = values(event)
    const changed = await attempt(() => patch<User>('/auth/me', { name }))
    if (!changed) return
    me.value = changed
    say('Others see you by this name now.')
  }
  const move = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { email, password } = values(event)
    if (!(await attempt(() => post('/auth/email', { email, password }).then(() => true)))) return
    form.reset()
    say('Open the link that was sent to the new address to finish.')
  }
  return (
    <Section title="Profile">
      <form class="inline" onSubmit={rename}>
        <Field label="Name" name="name" autocomplete="name" defaultValue={me.value?.name} maxLength={200} required />
        <button>Save name</button>
      </form>
      <details>
        <summary>Change the email address</summary>
        <form class="inline" onSubmit={move}>
          <Field label="New address" name="email" type="email" autocomplete="email" required />
          <Field label="Your password" name="password" type="password" autocomplete="current-password" required />
          <button>Change address</button>
        </form>
      </details>
    </Section>
  )
}

function Password() {
  const submit = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { old, password } = values(event)
    if (!(await attempt(() => post('/auth/password', { old_password: old, new_password: password }).then(() => true)))) return
    form.reset()
    say('Your password has been changed; other devices are signed out.')
  }
  return (
    <Section title="Password" hint="Changing it signs you out on every other device.">
      <form class="inline" onSubmit={submit}>
        <Field label="Current password" name="old" type="password" autocomplete="current-password" required />
        <Field label="New password" name="password" type="password" autocomplete="new-password" minLength={8} required />
        <button>Change password</button>
      </form>
    </Section>
  )
}

interface DeletedOrg {
  id: string
  name: string
  erased_after: string
}

/** Organizations of one's own that can still be taken back. */
function Deleted() {
  const [found, setFound] = useState<DeletedOrg[]>([])
  const load = () => attempt(async () => setFound((await get<{ items: DeletedOrg[] }>('/deleted-orgs')).items))
  useEffect(() => void load(), [])
  if (!found.length) return null
  const restore = (each: DeletedOrg) =>
    void attempt(async () => {
      await post(`/deleted-orgs/${each.id}/restore`)
      say(`${each.name} is back.`)
      await loadOrgs()
      await load()
    })
  return (
    <Section title="Deleted organizations" hint="They can be restored until they are erased.">
      <ul class="list boxed" aria-label="Deleted organizations">
        {found.map((each) => (
          <li key={each.id} class="row">
            <Icon name="trash" />
            <span class="grow">
              <strong>{each.name}</strong>
              <small>
                erased <Time at={each.erased_after} />
              </small>
            </span>
            <button type="button" onClick={() => restore(each)}>
              Restore
            </button>
          </li>
        ))}
      </ul>
    </Section>
  )
}
