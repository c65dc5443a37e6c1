/** The second step, passkeys, and accounts elsewhere that sign in here. */

import { useEffect, useState } from 'preact/hooks'
import { del, get, patch, post } from '../api'
import { sure } from '../asking'
import { makePasskey, passkeysWork, type Question } from '../passkeys'
import { Copy, count, Dialog, Field, Icon, Section, Time, values } from '../parts'
import { proved } from '../proving'
import { attempt, say } from '../state'
import type { Identity, Methods, Passkey, Provider } from '../types'

interface Enrolment {
  secret: string
  uri: string
}

interface WithCodes {
  recovery_codes: string[] | null
}

export function SignInWays() {
  const [methods, setMethods] = useState<Methods | null>(null)
  const [codes, setCodes] = useState<string[] | null>(null)
  const load = () => attempt(async () => setMethods(await get<Methods>('/auth/methods')))
  useEffect(() => void load(), [])
  const got = async (answer: WithCodes | undefined) => {
    if (answer?.recovery_codes) setCodes(answer.recovery_codes)
    await load()
  }
  if (!methods) return null
  const hasFactor = methods.totp || methods.passkeys.length > 0
  return (
    <>
      <TwoSteps methods={methods} onChange={got} />
      <Passkeys passkeys={methods.passkeys} onChange={got} />
      {hasFactor && <Recovery left={methods.recovery_codes} onChange={got} />}
      <Identities identities={methods.identities} onChange={load} />
      {codes && <CodesDialog codes={codes} onClose={() => setCodes(null)} />}
    </>
  )
}

interface Changing {
  onChange: (answer?: WithCodes) => Promise<void>
}

function TwoSteps({ methods, onChange }: { methods: Methods } & Changing) {
  const [enrolment, setEnrolment] = useState<Enrolment | null>(null)
  const begin = async () => setEnrolment((await proved(() => post<Enrolment>('/auth/totp'))) ?? null)
  const end = async () => {
    if (!(await sure('Turn the second step off?', 'Your password alone will sign you in.', 'Turn off'))) return
    await proved(() => del('/auth/totp'))
    await onChange()
  }
  return (
    <Section title="Second step" hint="Besides your password, signing in asks for a code from an app on your phone.">
      <div class="list boxed">
        <div class="row item">
          <Icon name="phone" />
          <span class="grow">
            <strong>Authenticator app</strong>
            <small>{methods.totp ? 'Signing in asks for its code' : 'Not set up'}</small>
          </span>
          {methods.totp ? (
            <button type="button" onClick={() => void end()}>
              Turn off
            </button>
          ) : (
            <button type="button" class="primary" onClick={() => void begin()}>
              Set up
            </button>
          )}
        </div>
      </div>
      {enrolment && (
        <Enrol
          {...enrolment}
          onDone={async (answer) => {
            setEnrolment(null)
            say('The second step is on.')
            await onChange(answer)
          }}
          onClose={() => setEnrolment(null)}
        />
      )}
    </Section>
  )
}

function Enrol({ secret, uri, onDone, onClose }: Enrolment & { onDone: (answer: WithCodes) => Promise<void>; onClose: () => void }) {
  const confirm = async (event: Event) => {
    const { code = '' } = values(event)
    const answer = await attempt(() => post<WithCodes>('/auth/totp/confirm', { code: code.replace(/\s/g, '') }))
    if (answer) await onDone(answer)
  }
  return (
    <Dialog title="Set up an authenticator app" onClose={onClose}>
      <div class="enrol">
        <QrCode text={uri} />
        <ol class="steps">
          <li>Open your authenticator app and scan this picture.</li>
          <li>
            No camera? Type this key instead: <code class="secret">{secret.match(/.{1,4}/g)?.join(' ')}</code>
          </li>
          <li>Type the six digits it shows.</li>
        </ol>
      </div>
      <form class="inline" onSubmit={confirm}>
        <Field label="Code it shows" name="code" inputMode="numeric" autocomplete="one-time-code" required autofocus />
        <button class="primary">Turn on</button>
      </form>
    </Dialog>
  )
}

function QrCode({ text }: { text: string }) {
  const [picture, setPicture] = useState('')
  useEffect(() => void import('uqr').then(({ renderSVG }) => setPicture(`data:image/svg+xml,${encodeURIComponent(renderSVG(text))}`)), [text])
  return picture ? <img class="qr" src={picture} alt="The key as a QR code" width="176" height="176" /> : <div class="qr blank" />
}

function Passkeys({ passkeys, onChange }: { passkeys: Passkey[] } & Changing) {
  const add = async () => {
    const question = await proved(() => post<Question>('/auth/passkeys/options'))
    const answer = question && (await attempt(() => makePasskey(question)))
    const made = answer && (await attempt(() => post<WithCodes>('/auth/passkeys', { ...answer, name: 'Passkey' })))
    if (!made) return
    say('From now on this passkey signs you in.')
    await onChange(made)
  }
  const remove = async (passkey: Passkey) => {
    if (!(await sure(`Remove “${passkey.name}”?`, 'It will not sign you in any more.', 'Remove'))) return
    await proved(() => del(`/auth/passkeys/${passkey.id}`))
    await onChange()
  }
  return (
    <Section title="Passkeys" hint="Sign in with your fingerprint, your face, or a security key, instead of the password.">
      {!!passkeys.length && (
        <ul class="list boxed" aria-label="Passkeys">
          {passkeys.map((each) => (
            <li key={each.id} class="row">
              <Icon name="key" />
              <span class="grow">
                <input
                  class="plain"
                  aria-label={`Name of ${each.name}`}
                  defaultValue={each.name}
                  maxLength={100}
                  onChange={(event) => void attempt(() => patch(`/auth/passkeys/${each.id}`, { name: event.currentTarget.value })).then(() => onChange())}
                />
                <small>
                  added <Time at={each.created_at} />
                  {each.last_used_at && (
                    <>
                      {' '}
                      · used <Time at={each.last_used_at} />
                    </>
                  )}
                </small>
              </span>
              <button type="button" aria-label={`Remove ${each.name}`} onClick={() => void remove(each)}>
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      {passkeysWork ? (
        <div>
          <button type="button" onClick={() => void add()}>
            <Icon name="plus" /> Add a passkey
          </button>
        </div>
      ) : (
        <p class="quiet">Passkeys work where Doxie is opened by a name; “{location.hostname}” is a number.</p>
      )}
    </Section>
  )
}

function Recovery({ left, onChange }: { left: number } & Changing) {
  const renew = async () => {
    if (!(await sure('Make new recovery codes?', 'Those you have kept so far stop working.', 'Make new codes'))) return
    await onChange(await proved(() => post<WithCodes>('/auth/recovery-codes')))
  }
  return (
    <Section title="Recovery codes" hint={`Each signs you in once when your phone or passkey is out of reach. ${count(left, 'code')} left.`}>
      <div>
        <button type="button" onClick={() => void renew()}>
          Make new codes
        </button>
      </div>
    </Section>
  )
}

function CodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join('\n')}\n`)}`
  return (
    <Dialog title="Keep your recovery codes" onClose={onClose}>
      <p>Each of these signs you in once when your phone or passkey is out of reach. They are not shown again.</p>
      <ul class="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <Copy label="All codes" text={codes.join(' ')} />
      <div class="actions">
        <a class="button" href={file} download="doxie-recovery-codes.txt">
          <Icon name="download" /> Download
        </a>
        <button type="button" class="primary" onClick={onClose}>
          I have kept them
        </button>
      </div>
    </Dialog>
  )
}

function Identities({ identities, onChange }: { identities: Identity[]; onChange: () => Promise<void> }) {
  const [providers, setProviders] = useState<Provider[]>([])
  useEffect(() => void attempt(async () => setProviders((await get<{ items: Provider[] }>('/auth/oidc')).items)), [])
  if (!providers.length && !identities.length) return null
  const connect = async (provider: Provider) => {
    const begun = await proved(() => post<{ authorization_url: string }>(`/auth/oidc/${provider.id}/link`, { return_to: '/account' }))
    if (begun) location.assign(begun.authorization_url)
  }
  return (
    <Section title="Connected accounts" hint="Accounts you have elsewhere that sign you in here.">
      <ul class="list boxed">
        {identities.map((each) => (
          <li key={each.id} class="row">
            <Icon name="link" />
            <span class="grow">
              <strong>{providers.find(({ id }) => id === each.provider)?.name ?? each.provider}</strong>
              <small>{each.email}</small>
            </span>
            <button type="button" onClick={() => void proved(() => del(`/auth/identities/${each.id}`)).then(() => onChange())}>
              Disconnect
            </button>
          </li>
        ))}
        {providers
          .filter(({ id }) => !identities.some((each) => each.provider === id))
          .map((each) => (
            <li key={each.id} class="row">
              <Icon name="link" />
              <span class="grow">
                <strong>{each.name}</strong>
                <small>Not connected</small>
              </span>
              <button type="button" onClick={() => void connect(each)}>
                Connect
              </button>
            </li>
          ))}
      </ul>
    </Section>
  )
}
