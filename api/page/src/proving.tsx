/** Changes to how one signs in ask who it is, once more: with the password, or with a passkey. */

import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { get, post, Problem } from './api'
import { askPasskey, type Question } from './passkeys'
import { Dialog, Field, values } from './parts'
import { attempt } from './state'
import type { Methods } from './types'

const waiting = signal<((proved: boolean) => void) | null>(null)

/** Do something; where the server asks for a proof, ask for it and do it then. Undefined where nothing was done. */
export function proved<T>(work: () => Promise<T>): Promise<T | undefined> {
  return attempt(async () => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Problem) || error.name !== 'ReauthenticationNeeded') throw error
      const done = await new Promise<boolean>((answer) => {
        waiting.value = answer
      })
      return done ? work() : undefined
    }
  })
}

export function Proving() {
  const answer = waiting.value
  return answer ? <Proof answer={answer} /> : null
}

function Proof({ answer }: { answer: (proved: boolean) => void }) {
  const [methods, setMethods] = useState<Methods | null>(null)
  const [busy, setBusy] = useState(false)
  useEffect(() => void attempt(async () => setMethods(await get<Methods>('/auth/methods'))), [])
  const end = (proved: boolean) => {
    waiting.value = null
    answer(proved)
  }
  const prove = async (work: () => Promise<unknown>) => {
    setBusy(true)
    const done = await attempt(() => work().then(() => true))
    setBusy(false)
    if (done) end(true)
  }
  const submit = (event: Event) => {
    const { password, code } = values(event)
    const factor = (code ?? '').replace(/\s/g, '')
    const second = factor && (/^\d+$/.test(factor) ? { totp: factor } : { recovery_code: factor })
    void prove(() =>
      post('/auth/reauthenticate', { password, ...(second || {}) }).catch((error: unknown) => {
        throw error instanceof Problem && error.name === 'WrongCredentials' ? new Error('That is not your password.') : error
      }),
    )
  }
  const [identity] = methods?.identities ?? []
  return (
    <Dialog title="Is it still you?" onClose={() => end(false)}>
      {methods?.password && (
        <form onSubmit={submit}>
          <Field label="Your password" name="password" type="password" autocomplete="current-password" required autofocus />
          {methods.totp ? (
            <Field label="Code from your authenticator app" name="code" autocomplete="one-time-code" required />
          ) : (
            methods.passkeys.length > 0 && <Field label="Recovery code" name="code" autocomplete="off" hint="Or use your passkey." required />
          )}
          <button class="primary" disabled={busy}>
            Continue
          </button>
        </form>
      )}
      {!!methods?.passkeys.length && (
        <button type="button" disabled={busy} onClick={() => void prove(withPasskey)}>
          Use a passkey
        </button>
      )}
      {methods && !methods.password && identity && (
        <a class="button" href={`/api/v1/auth/oidc/${identity.provider}/start?fresh=true&return_to=/account`}>
          Sign in again
        </a>
      )}
    </Dialog>
  )
}

async function withPasskey(): Promise<void> {
  await post('/auth/reauthenticate', { passkey: await askPasskey(await post<Question>('/auth/reauthenticate/options')) })
}
