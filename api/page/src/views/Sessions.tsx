/** Where one is signed in, and ending that. */

import { useEffect, useState } from 'preact/hooks'
import { del, get } from '../api'
import { Icon, Section, Time } from '../parts'
import { attempt, say } from '../state'
import type { Session } from '../types'

export function Sessions() {
  const [sessions, setSessions] = useState<Session[]>([])
  const load = () => attempt(async () => setSessions((await get<{ items: Session[] }>('/auth/sessions')).items))
  useEffect(() => void load(), [])
  const end = (path: string, told: string) =>
    void attempt(async () => {
      await del(path)
      say(told)
      await load()
    })
  return (
    <Section title="Where you are signed in" hint="Something you do not know? Sign it out, and change your password.">
      <ul class="list boxed" aria-label="Sessions">
        {sessions.map((each) => (
          <li key={each.id} class="row">
            <Icon name="user" />
            <span class="grow">
              <strong>{each.device || 'Unknown device'}</strong>
              <small>
                {each.ip} · used <Time at={each.last_used_at} />
              </small>
            </span>
            {each.current ? (
              <span class="tag good">This device</span>
            ) : (
              <button type="button" aria-label={`Sign out ${each.device || 'unknown device'}`} onClick={() => end(`/auth/sessions/${each.id}`, 'Signed out there.')}>
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <div>
          <button type="button" onClick={() => end('/auth/sessions', 'Signed out everywhere else.')}>
            Sign out everywhere else
          </button>
        </div>
      )}
    </Section>
  )
}
