/** Oneself: where one is signed in, and how. */

import { useEffect, useState } from 'preact/hooks'
import { del, get, post } from '../api'
import { Field, Time, values } from '../parts'
import { attempt, me, say } from '../state'
import type { Session } from '../types'
import { MenuButton } from './Shell'

export function Account() {
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
        <h1>{me.value?.name}</h1>
      </header>
      <Sessions />
      <Password />
      <TwoSteps />
    </div>
  )
}

function Sessions() {
  const [sessions, setSessions] = useState<Session[]>([])
  const load = () => attempt(async () => setSessions((await get<{ items: Session[] }>('/auth/sessions')).items))
  useEffect(() => void load(), [])
  return (
    <section class="card wide">
      <h2>Where you are signed in</h2>
      <ul class="list">
        {sessions.map((each) => (
          <li key={each.id} class="row">
            <span class="grow">
              <strong>{each.device || each.user_agent || 'Unknown device'}</strong>
              <br />
              <small>
                {each.ip} · used <Time at={each.last_used_at} />
              </small>
            </span>
            {each.current ? (
              <span class="state succeeded">this one</span>
            ) : (
              <button type="button" class="link" onClick={() => void attempt(() => del(`/auth/sessions/${each.id}`)).then(load)}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      <button type="button" onClick={() => void attempt(() => del('/auth/sessions')).then(load)}>
        Sign out everywhere else
      </button>
    </section>
  )
}

function Password() {
  const submit = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { old, password } = values(event)
    if (!(await attempt(() => post('/auth/password', { old_password: old, password }).then(() => true)))) return
    form.reset()
    say('Your password has been changed; other devices are signed out.')
  }
  return (
    <section class="card wide">
      <h2>Password</h2>
      <form class="inline" onSubmit={submit}>
        <Field label="Old password" name="old" type="password" autocomplete="current-password" required />
        <Field label="New password" name="password" type="password" autocomplete="new-password" minLength={8} required />
        <button>Change</button>
      </form>
    </section>
  )
}

interface Enrolment {
  secret: string
  uri: string
}

function TwoSteps() {
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const begin = async (event: Event) => {
    const { password } = values(event)
    const answer = await attempt(() => post<Enrolment>('/auth/totp', { password }))
    if (answer) setEnrolment(answer)
  }
  const confirm = async (event: Event) => {
    const { code = '' } = values(event)
    const answer = await attempt(() => post<{ recovery_codes: string[] }>('/auth/totp/confirm', { code: code.replace(/\s/g, '') }))
    if (!answer) return
    setEnrolment(null)
    setCodes(answer.recovery_codes)
  }
  return (
    <section class="card wide">
      <h2>Two-step sign-in</h2>
      {codes ? (
        <>
          <p>It is on. Keep these codes somewhere safe: each works once where your app is out of reach.</p>
          <ul class="codes">
            {codes.map((code) => (
              <li key={code}>
                <code>{code}</code>
              </li>
            ))}
          </ul>
        </>
      ) : enrolment ? (
        <form class="inline" onSubmit={confirm}>
          <p>
            Add this key to your authenticator app: <code>{enrolment.secret}</code> (<a href={enrolment.uri}>open in an app</a>)
          </p>
          <Field label="Code it shows" name="code" inputMode="numeric" autocomplete="one-time-code" required />
          <button class="primary">Turn on</button>
        </form>
      ) : (
        <form class="inline" onSubmit={begin}>
          <Field label="Your password" name="password" type="password" autocomplete="current-password" required />
          <button>Set up an authenticator app</button>
        </form>
      )}
    </section>
  )
}
