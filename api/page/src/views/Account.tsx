/** Oneself: where one is signed in, and how. */

import { useEffect, useState } from 'preact/hooks'
import { del, get, post } from '../api'
import { makePasskey, type Question } from '../passkeys'
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
    if (!(await attempt(() => post('/auth/password', { old_password: old, new_password: password }).then(() => true)))) return
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

interface Methods {
  totp: boolean
  recovery_codes: number
  passkeys: { id: string; name: string; created_at: string; last_used_at: string | null }[]
}

/** Changes to how one signs in need the password once more. */
async function again(password: string | undefined): Promise<void> {
  await post('/auth/reauthenticate', { password })
}

function TwoSteps() {
  const [methods, setMethods] = useState<Methods | null>(null)
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const load = () => attempt(async () => setMethods(await get<Methods>('/auth/methods')))
  useEffect(() => void load(), [])
  const act = (work: () => Promise<void>) => async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { password } = values(event)
    await attempt(async () => {
      await again(password)
      await work()
    })
    form.reset()
    await load()
  }
  const confirm = async (event: Event) => {
    const { code = '' } = values(event)
    const answer = await attempt(() => post<{ recovery_codes: string[] | null }>('/auth/totp/confirm', { code: code.replace(/\s/g, '') }))
    if (!answer) return
    setEnrolment(null)
    setCodes(answer.recovery_codes)
    await load()
  }
  const addPasskey = async () => {
    const answer = await makePasskey(await post<Question>('/auth/passkeys/options'))
    const made = await post<{ recovery_codes: string[] | null }>('/auth/passkeys', answer)
    setCodes(made.recovery_codes)
  }
  return (
    <section class="card wide">
      <h2>Second step and passkeys</h2>
      {codes && (
        <>
          <p>Keep these codes somewhere safe: each works once where your device is out of reach.</p>
          <ul class="codes">
            {codes.map((code) => (
              <li key={code}>
                <code>{code}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      <ul class="list">
        {methods?.passkeys.map((each) => (
          <li key={each.id}>
            {each.name} · added <Time at={each.created_at} />
          </li>
        ))}
      </ul>
      {enrolment ? (
        <form class="inline" onSubmit={confirm}>
          <QrCode text={enrolment.uri} />
          <p class="grow">
            Scan this with your authenticator app, or type the key <code>{enrolment.secret}</code>.
          </p>
          <Field label="Code it shows" name="code" inputMode="numeric" autocomplete="one-time-code" required />
          <button class="primary">Turn on</button>
        </form>
      ) : (
        <>
          {methods?.totp ? (
            <form class="inline" onSubmit={act(async () => del('/auth/totp'))}>
              <p class="grow">An authenticator app is on; {methods.recovery_codes} recovery codes are left.</p>
              <Field label="Your password" name="password" type="password" autocomplete="current-password" required />
              <button>Turn off</button>
            </form>
          ) : (
            <form class="inline" onSubmit={act(async () => setEnrolment(await post<Enrolment>('/auth/totp')))}>
              <Field label="Your password" name="password" type="password" autocomplete="current-password" required />
              <button>Set up an authenticator app</button>
            </form>
          )}
          <form class="inline" onSubmit={act(addPasskey)}>
            <Field label="Your password" name="password" type="password" autocomplete="current-password" required />
            <button>Add a passkey</button>
          </form>
        </>
      )}
    </section>
  )
}

function QrCode({ text }: { text: string }) {
  const [picture, setPicture] = useState('')
  useEffect(() => void import('uqr').then(({ renderSVG }) => setPicture(`data:image/svg+xml,${encodeURIComponent(renderSVG(text))}`)), [text])
  return <img class="qr" src={picture} alt="The key as a QR code" width="160" height="160" />
}
