/** What scripts sign in with. */

import { useEffect, useState } from 'preact/hooks'
import { del, get, post } from '../api'
import { sure } from '../asking'
import { Choice, Copy, Field, Icon, Section, Time, values } from '../parts'
import { proved } from '../proving'
import { attempt } from '../state'

interface Token {
  id: string
  name: string
  scopes: string[]
  expires_at: string
  last_used_at: string | null
}

const SCOPES: [string, string][] = [
  ['read', 'Read'],
  ['write', 'Read and write'],
  ['admin', 'Everything you may do'],
]

export function Tokens() {
  const [tokens, setTokens] = useState<Token[]>([])
  const [made, setMade] = useState<string | null>(null)
  const load = () => attempt(async () => setTokens((await get<{ items: Token[] }>('/auth/tokens')).items))
  useEffect(() => void load(), [])
  const make = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const { name, scope, days } = values(event)
    const token = await proved(() => post<{ token: string }>('/auth/tokens', { name, scopes: [scope], expires_in_days: Number(days) }))
    if (!token) return
    setMade(token.token)
    form.reset()
    await load()
  }
  const remove = async (token: Token) => {
    if (!(await sure(`Delete “${token.name}”?`, 'Whatever uses this token stops working at once.', 'Delete'))) return
    await proved(() => del(`/auth/tokens/${token.id}`))
    await load()
  }
  return (
    <Section title="Access tokens" hint="For scripts and other programs that work in your name.">
      {made && (
        <div class="notice">
          <p>Copy the token now: it is not shown again.</p>
          <Copy label="The new token" text={made} />
        </div>
      )}
      {!!tokens.length && (
        <ul class="list boxed" aria-label="Tokens">
          {tokens.map((each) => (
            <li key={each.id} class="row">
              <Icon name="key" />
              <span class="grow">
                <strong>{each.name}</strong>
                <small>
                  {SCOPES.find(([scope]) => each.scopes.includes(scope))?.[1]} · ends <Time at={each.expires_at} />
                  {each.last_used_at ? (
                    <>
                      {' '}
                      · used <Time at={each.last_used_at} />
                    </>
                  ) : (
                    ' · never used'
                  )}
                </small>
              </span>
              <button type="button" aria-label={`Delete ${each.name}`} onClick={() => void remove(each)}>
                Delete
              </button>
            </li>
          ))}
        </ul>
      )}
      <form class="inline" onSubmit={make}>
        <Field label="What is it for?" name="name" maxLength={200} required />
        <Choice label="It may" name="scope" options={SCOPES} />
        <Choice
          label="It ends"
          name="days"
          options={[
            ['30', 'in a month'],
            ['90', 'in three months'],
            ['365', 'in a year'],
          ]}
        />
        <button>Create token</button>
      </form>
    </Section>
  )
}
