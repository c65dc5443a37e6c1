/** Signing up and in. */

import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, post, Problem } from '../api'
import { askPasskey, passkeysWork, type Question } from '../passkeys'
import { Field, Icon, values } from '../parts'
import { linkToken } from '../router'
import { attempt, say, start } from '../state'
import type { Provider } from '../types'

export function Door({ title, children }: { title: string; children: ComponentChildren }) {
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

/** What a provider's sign-in came back with, where it did not end well. The address has a name only. */
const PROBLEMS: Record<string, string> = {
  EmailUnverified: 'That account does not vouch for its email address, so it cannot open an account here.',
  ErrandForeign: 'That sign-in took too long, or began in another browser. Please start again.',
  IdentityTaken: 'That account is linked already, with yours or with somebody else’s.',
  ProviderUnavailable: 'The sign-in service does not answer. Try again later, or sign in another way.',
  ProviderUnknown: 'That sign-in service is not set up here.',
  SignInRefused: 'You were not signed in there. Try again, or sign in another way.',
  SignInToLink: 'There is an account with this address already. Sign in to it, then connect the other one under “Account and security”.',
}

/** What to say on arriving with `?problem=…`; null without. */
export function problemInAddress(): string | null {
  const name = new URLSearchParams(location.search).get('problem')
  return name === null ? null : (PROBLEMS[name] ?? 'You could not be signed in that way.')
}

/** A provider has signed somebody in who has a second factor: it came in the fragment, and is taken out of the address. */
function arrived(): SecondFactor | null {
  const found = new URLSearchParams(location.hash.slice(1))
  const token = found.get('second_factor')
  if (!token) return null
  history.replaceState(null, '', location.pathname + location.search)
  return { token, methods: (found.get('methods') ?? '').split(',') }
}

const arrival = arrived()

export function SignIn() {
  const [busy, setBusy] = useState(false)
  const [factor, setFactor] = useState<SecondFactor | null>(arrival)
  const [wrong, setWrong] = useState(problemInAddress)
  const submit = async (event: Event) => {
    const { email, password } = values(event)
    setBusy(true)
    setWrong(null)
    try {
      const answer = await post<Answer>('/auth/login', { email, password })
      if (answer.second_factor) setFactor(answer.second_factor)
      else await attempt(start)
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }
  if (factor) return <SecondFactorForm factor={factor} onBack={() => setFactor(null)} />
  return (
    <Door title="Sign in to Doxie">
      {wrong && (
        <p class="notice bad" role="alert">
          {wrong}
        </p>
      )}
      <form onSubmit={submit}>
        <Field label="Email" name="email" type="email" autocomplete="username" required autofocus />
        <Field label="Password" name="password" type="password" autocomplete="current-password" required />
        <button class="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      <div class="ways">
        {passkeysWork && (
          <button type="button" onClick={() => void attempt(withPasskey)}>
            <Icon name="key" /> Use a passkey
          </button>
        )}
        <ProviderLinks />
      </div>
      <p class="foot-links">
        <a href={`/sign-up${location.search}`}>Create an account</a>
        <a href="/forgot">Forgot password</a>
      </p>
    </Door>
  )
}

function ProviderLinks() {
  const [found, setFound] = useState<Provider[]>([])
  useEffect(() => void get<{ items: Provider[] }>('/auth/oidc').then(({ items }) => setFound(items), () => undefined), [])
  const back = encodeURIComponent(new URLSearchParams(location.search).get('next') ?? '/')
  return (
    <>
      {found.map(({ id, name }) => (
        <a key={id} class="button" href={`/api/v1/auth/oidc/${id}/start?return_to=${back}`}>
          Continue with {name}
        </a>
      ))}
    </>
  )
}

async function withPasskey(): Promise<void> {
  const answer = await askPasskey(await post<Question>('/auth/passkeys/sign-in/options'))
  await post('/auth/passkeys/sign-in', answer)
  await start()
}

function SecondFactorForm({ factor, onBack }: { factor: SecondFactor; onBack: () => void }) {
  const hasApp = factor.methods.includes('totp')
  const hasPasskey = factor.methods.includes('passkey') && passkeysWork
  const [recovering, setRecovering] = useState(!hasApp && !hasPasskey)
  const [wrong, setWrong] = useState<string | null>(null)
  const prove = (work: () => Promise<unknown>) =>
    work()
      .then(start)
      .catch((error: unknown) => setWrong(error instanceof Error ? error.message : String(error)))
  const submit = (event: Event) => {
    const { code = '' } = values(event)
    const proof = recovering ? { recovery_code: code.trim() } : { totp: code.replace(/\s/g, '') }
    void prove(() => post('/auth/login/second-factor', { token: factor.token, ...proof }))
  }
  return (
    <Door title="One more step">
      <p class="hint">
        {recovering ? 'One of the codes you kept when you turned the second step on. Each works once.' : 'Your password was right. Now prove that it is you.'}
      </p>
      {wrong && (
        <p class="notice bad" role="alert">
          {wrong}
        </p>
      )}
      {(recovering || hasApp) && (
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
      )}
      {hasPasskey && (
        <button type="button" class={hasApp || recovering ? '' : 'primary'} onClick={() => void prove(() => secondPasskey(factor.token))}>
          <Icon name="key" /> Use a passkey
        </button>
      )}
      <p class="foot-links">
        {(hasApp || hasPasskey) && (
          <button type="button" class="link" onClick={() => setRecovering(!recovering)}>
            {recovering ? 'Another way' : 'Use a recovery code'}
          </button>
        )}
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
}

export function SignUp() {
  const [busy, setBusy] = useState(false)
  const [sent, setSent] = useState(false)
  const submit = async (event: Event) => {
    const { name, email, password } = values(event)
    setBusy(true)
    const answer = await attempt(() => post<{ user?: unknown } | undefined>('/auth/register', { name, email, password }).then((found) => found ?? {}))
    if (answer?.user) await attempt(start)
    setBusy(false) // not before: a second click would be a second account
    if (answer && !answer.user) setSent(true)
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
      <p class="foot-links">
        <a href={`/sign-in${location.search}`}>Sign in instead</a>
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
        <p role="status">If there is an account with this address, a link is on its way.</p>
      ) : (
        <form onSubmit={submit}>
          <Field label="Email" name="email" type="email" autocomplete="username" required autofocus />
          <button class="primary">Send a link</button>
        </form>
      )}
      <p class="foot-links">
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
