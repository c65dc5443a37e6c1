/** Operations: whether everything could be brought back, as of the last backup and the last drill. */

import { useEffect, useState } from 'preact/hooks'
import { get } from '../api'
import { count, Empty, Section, size, Table, Time } from '../parts'
import { attempt, me } from '../state'
import { Sheet } from './Shell'

interface Backup {
  id: string
  kind: string
  state: 'running' | 'succeeded' | 'failed'
  bytes: number | null
  started_at: string
  finished_at: string | null
  error: string | null
}

interface Drill {
  id: string
  state: 'running' | 'good' | 'bad' | 'failed'
  started_at: string
  finished_at: string | null
  rpo_seconds: number | null
  rto_seconds: number | null
  documents: number
  objects: number
  findings: { check: string; subject: string; detail: string }[]
  error: string | null
}

const STATES: Record<string, [string, string]> = {
  running: ['Running', 'warn'],
  succeeded: ['Good', 'good'],
  good: ['Good', 'good'],
  failed: ['Failed', 'bad'],
  bad: ['Damage found', 'bad'],
}

export function Admin() {
  const [backups, setBackups] = useState<Backup[] | null>(null)
  const [drills, setDrills] = useState<Drill[]>([])
  const load = () =>
    attempt(async () => {
      setBackups((await get<{ items: Backup[] }>('/operations/backups')).items)
      setDrills((await get<{ items: Drill[] }>('/operations/drills')).items)
    })
  useEffect(() => {
    if (me.value?.is_operator) void load()
  }, [])
  if (!me.value?.is_operator)
    return (
      <Sheet title="Operations">
        <Empty icon="shield" title="This page is for operators" />
      </Sheet>
    )
  const good = backups?.find((each) => each.state === 'succeeded')
  return (
    <Sheet
      title="Operations"
      hint="Could everything be brought back?"
      actions={
        <button type="button" onClick={() => void load()}>
          Refresh
        </button>
      }
    >
      <div class="figures">
        <Figure label="Last good backup" value={good ? <Time at={good.started_at} /> : 'None yet'} note={good && `${KINDS[good.kind] ?? good.kind}, ${size(good.bytes ?? 0)}`} />
        <DrillFigures drill={drills[0]} />
      </div>
      <Section title="Restore drills" hint="A drill restores the newest backup elsewhere, rebuilds every document from it, and compares.">
        {!drills.length && <p class="quiet">No drill has been run yet. They run by themselves every week; ./doxie admin drill runs one now.</p>}
        {!!drills.length && (
          <Table heads={['Started', 'Result', 'Checked', 'Would be lost', 'Back after']}>
            {drills.map((each) => (
              <tr key={each.id}>
                <td>
                  <Time at={each.started_at} />
                </td>
                <td>
                  <State {...each} />
                </td>
                <td>
                  {count(each.documents, 'document')}, {count(each.objects, 'object')}
                </td>
                <td>{seconds(each.rpo_seconds)}</td>
                <td>{seconds(each.rto_seconds)}</td>
              </tr>
            ))}
          </Table>
        )}
        {drills[0]?.findings.map((finding, index) => (
          <p key={index} class="error">
            {finding.check} · {finding.subject}: {finding.detail}
          </p>
        ))}
      </Section>
      <Section title="Backups" hint="Every one was read back after it was stored.">
        {backups?.length === 0 && <p class="quiet">No backup has been made yet. The first one is made within a day; ./doxie admin backup makes one now.</p>}
        {!!backups?.length && (
          <Table heads={['Started', 'Kind', 'Result', 'Size']}>
            {backups.map((each) => (
              <tr key={each.id}>
                <td>
                  <Time at={each.started_at} />
                </td>
                <td>{KINDS[each.kind] ?? each.kind}</td>
                <td>
                  <State {...each} />
                </td>
                <td>{each.bytes !== null && size(each.bytes)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
    </Sheet>
  )
}

const KINDS: Record<string, string> = { dump: 'Daily dump', base: 'Base backup' }

function DrillFigures({ drill }: { drill: Drill | undefined }) {
  const [word] = STATES[drill?.state ?? ''] ?? [drill?.state ?? 'None yet']
  return (
    <>
      <Figure label="Last drill" value={word} note={drill && <Time at={drill.started_at} />} tone={STATES[drill?.state ?? '']?.[1]} />
      <Figure label="Lost with the disk" value={seconds(drill?.rpo_seconds)} note="of the newest edits, at most" />
      <Figure label="Back in" value={seconds(drill?.rto_seconds)} note="from nothing to a database that answers" />
    </>
  )
}

function Figure({ label, value, note, tone = '' }: { label: string; value: preact.ComponentChildren; note?: preact.ComponentChildren; tone?: string }) {
  return (
    <div class="figure">
      <small>{label}</small>
      <strong class={tone}>{value}</strong>
      <small>{note}</small>
    </div>
  )
}

function State({ state, error }: { state: string; error: string | null }) {
  const [word, tone] = STATES[state] ?? [state, '']
  return (
    <>
      <span class={`tag ${tone}`}>{word}</span>
      {error && <small class="error">{error}</small>}
    </>
  )
}

function seconds(number: number | null | undefined): string {
  if (number === null || number === undefined) return '–'
  return number < 60 ? `${number.toFixed(1)} s` : `${Math.round(number / 60)} min`
}
