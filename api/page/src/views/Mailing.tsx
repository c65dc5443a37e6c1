/** Which notifications come by mail, and when. */

import { useEffect, useState } from 'preact/hooks'
import { get, put } from '../api'
import { Choice, Section } from '../parts'
import { attempt, orgs, say } from '../state'

interface Mailing {
  mailing: string
  organizations: Record<string, string>
}

const WAYS: [string, string][] = [
  ['immediate', 'At once'],
  ['daily', 'Once a day, together'],
  ['off', 'Never'],
]

export function MailSettings() {
  const [now, setNow] = useState<Mailing | null>(null)
  const load = () => attempt(async () => setNow(await get<Mailing>('/notifications/mailing')))
  useEffect(() => void load(), [])
  const change = (path: string, mailing: string) =>
    void attempt(async () => {
      await put(path, { mailing })
      say('Saved.')
      await load()
    })
  if (!now) return null
  const off = now.mailing === 'off'
  return (
    <Section title="Notifications by mail" hint="What the bell tells you also comes by mail: who shares with you, who asks for access, what changes in documents you watch.">
      <Choice label="Mails come" options={WAYS} value={now.mailing} onChange={(event) => change('/notifications/mailing', event.currentTarget.value)} />
      {!off &&
        orgs.value.map((each) => (
          <Choice
            key={each.id}
            label={`Those of ${each.name}`}
            options={[['default', 'Like all others'], ...WAYS]}
            value={now.organizations[each.id] ?? 'default'}
            onChange={(event) => change(`/orgs/${each.id}/notifications/mailing`, event.currentTarget.value)}
          />
        ))}
    </Section>
  )
}
