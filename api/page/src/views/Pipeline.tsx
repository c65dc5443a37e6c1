/** What the flows did with a document, live. */

import { useEffect, useState } from 'preact/hooks'
import { get, post } from '../api'
import { size, Time } from '../parts'
import { attempt, say } from '../state'
import type { Run } from '../types'

const EVERY_MS = 2000

export function Pipeline({ id }: { id: string }) {
  const [runs, setRuns] = useState<Run[] | null>(null)
  useEffect(() => {
    let waiting = 0
    let left = false
    const look = async () => {
      const page = await get<{ items: Run[] }>(`/documents/${id}/pipeline?limit=50`).catch(() => null)
      if (left) return
      if (page) setRuns(page.items)
      waiting = window.setTimeout(look, document.hidden ? EVERY_MS * 5 : EVERY_MS)
    }
    void look()
    return () => {
      left = true
      clearTimeout(waiting)
    }
  }, [id])
  return (
    <aside class="panel" aria-label="Pipeline">
      <h2>Pipeline</h2>
      <p class="hint">Each save is folded into a revision, stored, and read back by a flow.</p>
      {runs && !runs.length && <p class="hint">Nothing has run yet.</p>}
      <ol class="runs">
        {runs?.map((run) => (
          <li key={run.id} class={run.state}>
            <div class="row">
              <strong>
                {run.pipeline} · {run.step}
              </strong>
              <span class={`state ${run.state}`}>{run.state}</span>
            </div>
            <small>
              <Time at={run.started_at} />
              {run.finished_at && ` · ${elapsed(run)} ms`}
              {run.seq_to !== null && ` · up to edit ${run.seq_to}`}
              {run.bytes_out !== null && ` · ${size(run.bytes_out)}`}
              {run.attempts > 1 && ` · attempt ${run.attempts}`}
            </small>
            {run.error && <p class="error">{run.error}</p>}
            <div class="row">
              {run.flow_run_url && (
                <a href={run.flow_run_url} target="_blank" rel="noreferrer noopener">
                  Flow run
                </a>
              )}
              <button type="button" class="link" onClick={() => void replay(run)}>
                Replay
              </button>
            </div>
          </li>
        ))}
      </ol>
    </aside>
  )
}

function elapsed(run: Run): number {
  return Math.round(new Date(run.finished_at ?? run.started_at).getTime() - new Date(run.started_at).getTime())
}

async function replay(run: Run): Promise<void> {
  if (await attempt(() => post(`/pipeline/${run.id}/replay`).then(() => true))) say('It will run again.')
}
