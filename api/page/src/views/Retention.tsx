/** How long an organization keeps the revisions that were made by themselves. */

import { useEffect, useState } from 'preact/hooks'
import { get, put } from '../api'
import { sure } from '../asking'
import { count, Field, Section, values } from '../parts'
import { attempt, say } from '../state'
import type { Org } from '../types'

interface Policy {
  all_days: number | null
  hourly_days: number | null
  daily_days: number | null
}

const HINT = 'What somebody named or restored, and the newest revision of each document, always stay.'
const LONGEST_DAYS = 36_500

export function Retention({ here, manages }: { here: Org; manages: boolean }) {
  const [now, setNow] = useState<Policy | null>(null)
  const path = `/orgs/${here.id}/retention`
  useEffect(() => void attempt(async () => setNow(await get<Policy>(path))), [path])
  const submit = async (event: Event) => {
    const { all_days, hourly_days, daily_days } = values(event)
    const wanted = { all_days: Number(all_days), hourly_days: Number(hourly_days), daily_days: Number(daily_days) }
    if (wanted.all_days > wanted.hourly_days || wanted.hourly_days > wanted.daily_days)
      return say('Each of the three has to be at least as long as the one before it.', true)
    if (!(await sure('Keep fewer revisions?', `${worded(wanted)} What is removed cannot be brought back.`, 'Keep only these'))) return
    await attempt(async () => {
      setNow(await put<Policy>(path, wanted))
      say('Set. Revisions beyond that are removed soon, and then once a day.')
    })
  }
  if (!now) return null
  return (
    <Section title="How long revisions are kept" hint={HINT}>
      <p role="status">{worded(now)}</p>
      {manages && (
        <form class="days" key={worded(now)} onSubmit={(event) => void submit(event)}>
          <Days label="All of them, for days" name="all_days" value={now.all_days ?? 30} />
          <Days label="One an hour, until day" name="hourly_days" value={now.hourly_days ?? 90} />
          <Days label="One a day, until day" name="daily_days" value={now.daily_days ?? 365} />
          <button>Set</button>
        </form>
      )}
    </Section>
  )
}

function Days({ label, name, value }: { label: string; name: string; value: number }) {
  return <Field label={label} name={name} type="number" min={0} max={LONGEST_DAYS} step={1} defaultValue={String(value)} required />
}

function worded({ all_days, hourly_days, daily_days }: Policy): string {
  if (all_days === null || hourly_days === null || daily_days === null) return 'Every revision is kept.'
  const days = (number: number) => count(number, 'day')
  return `All are kept for ${days(all_days)}, one an hour until they are ${days(hourly_days)} old, one a day until ${days(daily_days)}, and one a week after that.`
}
