/** Signing up and in. */

import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { post, Problem } from '../api'
import { askPasskey, type Question } from '../passkeys'
import { Field, values } from '../parts'
import { linkToken } from '../router'
import { attempt, say, start } from '../state'

function Door({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="door">
      <div class="card">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  )
}

interface SecondFactor {
  token: string
  methods: string[]
}

type Answer = { second_factor?: SecondFactor }

export function SignIn() {
  const [busy, setBusy] = useState(false)
  const [factor, setFactor] = useState<SecondFactor | null>(null)
  const submit = async (event: Event) => {
    const { email, password } = values(event)
    setBusy(true)
    const answer = await attempt(() => post<Answer>('/auth/login', { email, password }))
    setBusy(false)
    if (answer?.second_factor) setFactor(answer.second_factor)
    else if (answer) await attempt(start)
  }
  if (factor) return <SecondFactorForm factor={factor} onBack={() => setFactor(null)} />
  return (
    <Door title="Sign in to Doxie">
      <form onSubmit={submit}>
        <Field label="Email" name="email" type="email" autocomplete="username" required autofocus />
        <Field label="Password" name="password" type="password" autocomplete="current-password" required />
        <button class="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      {'PublicKeyCredential' in window && (
        <button type="button" onClick={() => void attempt(withPasskey)}>
          Use a passkey
        </button>
      )}
      <p>
        New here? <a href={`/sign-up${location.search}`}>Create an account</a> · <a href="/forgot">Forgot password</a>
      </p>
    </Door>
  )
}

async function withPasskey(): Promise<void> {
  const answer = await askPasskey(await post<Question>('/auth/passkeys/sign-in/options'))
  await post('/auth/passkeys/sign-in', answer)
  await start()
}

function SecondFactorForm({ factor, onBack }: { factor: SecondFactor; onBack: () => void }) {
  const [recovering, setRecovering] = useState(false)
  const submit = async (event: Event) => {
    const { code = '' } = values(event)
    const proof = recovering ? { recovery_code: code.trim() } : { totp: code.replace(/\s/g, '') }
    const done = await attempt(() => post('/auth/login/second-factor', { token: factor.token, ...proof }).then(() => true))
    if (done) await attempt(start)
  }
  return (
    <Door title="One more step">
      <form onSubmit={submit}>
        <Field
          key={String(recovering)}
          label={recovering ? 'Recovery code' : 'Code from your authenticator app'}
          name="code"
          autocomplete="one-time-code"
          inputMode={recovering ? 'text' : 'numeric'}
          required
          autofocus
        />
        <button class="primary">Continue</button>
      </form>
      {factor.methods.includes('passkey') && (
        <button type="button" onClick={() => void attempt(() => secondPasskey(factor.token))}>
          Use a passkey
        </button>
      )}
      <p>
        <button type="button" class="link" onClick={() => setRecovering(!recovering)}>
          {recovering ? 'Use the app instead' : 'Use a recovery code'}
        </button>{' '}
        ·{' '}
        <button type="button" class="link" onClick={onBack}>
          Back
        </button>
      </p>
    </Door>
  )
}

async function secondPasskey(token: string): Promise<void> {
  const passkey = await askPasskey(await post<Question>('/auth/login/second-factor/options', { token }))
  await post('/auth/login/second-factor', { token, passkey })
  await start()
}

export function SignUp() {
  const [busy, setBusy] = useState(false)
  const [sent, setSent] = useState(false)
  const submit = async (event: Event) => {
    const { name, email, password } = values(event)
    setBusy(true)
    const answer = await attempt(() => post<{ user?: unknown } | undefined>('/auth/register', { name, email, password }).then((found) => found ?? {}))
    setBusy(false)
    if (!answer) return
    if (answer.user) await attempt(start)
    else setSent(true)
  }
  if (sent)
    return (
      <Door title="Look into your mail">
        <p>We have sent you a link. Open it to finish.</p>
      </Door>
    )
  return (
    <Door title="Create your account">
      <form onSubmit={submit}>
        <Field label="Name" name="name" autocomplete="name" required autofocus />
        <Field label="Email" name="email" type="email" autocomplete="username" required />
        <Field
          label="Password"
          name="password"
          type="password"
          autocomplete="new-password"
          minLength={8}
          hint="At least 8 characters, and not a common one."
          required
        />
        <button class="primary" disabled={busy}>
          {busy ? 'Creating…' : 'Create account'}
        </button>
      </form>
      <p>
        Have one? <a href={`/sign-in${location.search}`}>Sign in</a>
      </p>
    </Door>
  )
}

export function Forgot() {
  const [sent, setSent] = useState(false)
  const submit = async (event: Event) => {
    const { email } = values(event)
    if (await attempt(() => post('/auth/password/forgot', { email }).then(() => true))) setSent(true)
  }
  return (
    <Door title="Forgot your password?">
      {sent ? (
        <p>If there is an account with this address, a link is on its way.</p>
      ) : (
        <form onSubmit={submit}>
          <Field label="Email" name="email" type="email" autocomplete="username" required autofocus />
          <button class="primary">Send a link</button>
        </form>
      )}
      <p>
        <a href="/sign-in">Back to signing in</a>
      </p>
    </Door>
  )
}

export function Reset() {
  const [token] = useState(linkToken)
  const [done, setDone] = useState(false)
  const submit = async (event: Event) => {
    const { password } = values(event)
    if (await attempt(() => post('/auth/password/reset', { token, password }).then(() => true))) {
      setDone(true)
      say('Your password has been changed.')
    }
  }
  return (
    <Door title="Choose a new password">
      {done ? (
        <p>
          <a href="/sign-in">Sign in</a> with your new password.
        </p>
      ) : (
        <form onSubmit={submit}>
          <Field label="New password" name="password" type="password" autocomplete="new-password" minLength={8} required autofocus />
          <button class="primary">Save</button>
        </form>
      )}
    </Door>
  )
}

/** What a link in a mail confirms: it works once, so it is sent once. */
export function ConfirmAddress({ path }: { path: string }) {
  const [token] = useState(linkToken)
  const [text, setText] = useState('One moment…')
  useEffect(() => {
    post(path, { token })
      .then(() => setText('Thank you, your address is confirmed.'))
      .catch((error: unknown) => setText(error instanceof Problem ? error.message : String(error)))
  }, [path, token])
  return (
    <Door title="Your address">
      <p role="status">{text}</p>
      <p>
        <a href="/">Go on</a>
      </p>
    </Door>
  )
}
