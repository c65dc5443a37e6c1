/** Taking a document along. */

import { useState } from 'preact/hooks'
import { get, post } from '../api'
import { Dialog } from '../parts'
import { attempt } from '../state'
import type { Doc, Export } from '../types'

const FORMATS: [string, string][] = [
  ['markdown', 'Markdown'],
  ['html', 'HTML'],
  ['pdf', 'PDF'],
  ['docx', 'Word'],
  ['json', 'JSON'],
]
const EVERY_MS = 400

export function ExportDialog({ doc, onClose }: { doc: Doc; onClose: () => void }) {
  const [running, setRunning] = useState<Export | null>(null)
  const make = async (format: string) => {
    let state = await attempt(() => post<Export>(`/documents/${doc.id}/exports`, { format }))
    while (state) {
      setRunning(state)
      if (state.state === 'succeeded' || state.state === 'failed') break
      await new Promise((done) => setTimeout(done, EVERY_MS))
      const { id } = state
      state = await attempt(() => get<Export>(`/exports/${id}`))
    }
  }
  const busy = running?.state === 'pending' || running?.state === 'running'
  return (
    <Dialog title="Export" onClose={onClose}>
      <div class="choices">
        {FORMATS.map(([format, label]) => (
          <button key={format} type="button" disabled={busy} onClick={() => void make(format)}>
            {label}
          </button>
        ))}
      </div>
      <div aria-live="polite">
        {busy && <progress aria-label="Making the export" />}
        {running?.state === 'failed' && <p class="error">{running.error}</p>}
        {running?.state === 'succeeded' && running.download_url && (
          <a class="primary" href={running.download_url} download>
            Download {FORMATS.find(([format]) => format === running.format)?.[1]}
          </a>
        )}
      </div>
    </Dialog>
  )
}
