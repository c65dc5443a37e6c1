/** What was done with a document after it was written, live. */

import { useEffect, useState } from 'preact/hooks'
import { get, post } from '../api'
import { Icon, type IconName, size, Time } from '../parts'
import { attempt, orgs, say } from '../state'
import type { Doc, Run } from '../types'

const EVERY_MS = 2000

const STEPS: Record<string, string> = {
  'persist.fold': 'Folded into a revision',
  'persist.store': 'Stored and read back',
  'persist.index': 'Made searchable',
  'persist.set aside': 'Set aside: it fails again and again',
  'export.render': 'Export rendered',
  'export.store': 'Export stored',
  'archive.archive': 'Old edits archived',
}
const STATES: Record<Run['state'], [string, IconName, string]> = {
  running: ['Running', 'more', 'warn'],
  succeeded: ['Done', 'check', 'good'],
  failed: ['Failed', 'close', 'bad'],
  set_aside: ['Set aside', 'warn', 'bad'],
}

export function Pipeline({ doc }: { doc: Doc }) {
  const [runs, setRuns] = useState<Run[] | null>(null)
  useEffect(() => {
    let waiting = 0
    let left = false
    const look = async () => {
      const page = await get<{ items: Run[] }>(`/documents/${doc.id}/pipeline?limit=60`).catch(() => null)
      if (left) return
      if (page) setRuns(page.items)
      waiting = window.setTimeout(look, document.hidden ? EVERY_MS * 5 : EVERY_MS)
    }
    void look()
    return () => {
      left = true
      clearTimeout(waiting)
    }
  }, [doc.id])
  const role = orgs.value.find((each) => each.id === doc.org_id)?.role
  return (
    <aside class="panel" aria-label="Pipeline">
      <h2>Pipeline</h2>
      <p class="hint">What happens to each edit after it was saved: it becomes part of a revision, is stored, and is read back.</p>
      {runs && !runs.length && <p class="quiet">Nothing has run yet. Write something, and watch.</p>}
      <ol class="runs">
        {together(runs ?? []).map((group) => (
          <Group key={group[0]?.id} runs={group} replays={role === 'owner' || role === 'admin'} />
        ))}
      </ol>
    </aside>
  )
}

/** The steps of one run belong together; the newest run comes first, its first step too. */
function together(runs: Run[]): Run[][] {
  const groups = new Map<string, Run[]>()
  for (const run of runs) {
    const key = `${run.flow_run_id ?? run.pipeline} ${run.seq_to}` // Prefect may hear of a run later
    groups.set(key, [run, ...(groups.get(key) ?? [])])
  }
  return [...groups.values()]
}

function Group({ runs, replays }: { runs: Run[]; replays: boolean }) {
  const [first] = runs
  if (!first) return null
  return (
    <li>
      <div class="row">
        <strong class="grow">{first.seq_to === null ? 'Whole document' : `Up to edit ${first.seq_to}`}</strong>
        <small>
          <Time at={first.started_at} />
        </small>
      </div>
      <ul class="steps">
        {runs.map((run) => (
          <Step key={run.id} run={run} />
        ))}
      </ul>
      <div class="row">
        {first.flow_run_url && (
          <a href={first.flow_run_url} target="_blank" rel="noreferrer noopener">
            Open in Prefect
          </a>
        )}
        {replays && (
          <button type="button" class="link" onClick={() => void replay(first)}>
            Replay
          </button>
        )}
      </div>
    </li>
  )
}

function Step({ run }: { run: Run }) {
  const [word, icon, tone] = STATES[run.state]
  return (
    <li class={tone}>
      <Icon name={icon} />
      <span class="grow">
        {STEPS[`${run.pipeline}.${run.step}`] ?? `${run.pipeline}: ${run.step}`}
        <small>
          {word}
          {run.finished_at && ` in ${elapsed(run)}`}
          {run.bytes_out !== null && ` · ${size(run.bytes_out)}`}
          {run.attempts > 1 && ` · attempt ${run.attempts}`}
        </small>
        {run.error && <small class="error">{run.error}</small>}
      </span>
    </li>
  )
}

function elapsed(run: Run): string {
  const milliseconds = new Date(run.finished_at ?? run.started_at).getTime() - new Date(run.started_at).getTime()
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

async function replay(run: Run): Promise<void> {
  if (await attempt(() => post(`/pipeline/${run.id}/replay`).then(() => true))) say('It runs again.')
}
