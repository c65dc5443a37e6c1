/** Taking a document along. */

import { useState } from 'preact/hooks'
import { get, post } from '../api'
import { Dialog, following, size } from '../parts'
import { attempt } from '../state'
import type { Doc, Export } from '../types'

const FORMATS: [string, string, string][] = [
  ['markdown', 'Markdown', 'Plain text with marks, for other editors'],
  ['pdf', 'PDF', 'For printing and sending'],
  ['docx', 'Word', 'To go on in Word or LibreOffice'],
  ['html', 'HTML', 'One file, for the web'],
  ['json', 'JSON', 'The full structure, for programs'],
]

export function ExportDialog({ doc, onClose }: { doc: Doc; onClose: () => void }) {
  const [running, setRunning] = useState<Export | null>(null)
  const make = async (format: string) => {
    const first = await attempt(() => post<Export>(`/documents/${doc.id}/exports`, { format }))
    await following(first, (id) => attempt(() => get<Export>(`/exports/${id}`)), setRunning)
  }
  const busy = running?.state === 'pending' || running?.state === 'running'
  const name = FORMATS.find(([format]) => format === running?.format)?.[1]
  return (
    <Dialog title="Export" onClose={onClose}>
      <ul class="picks">
        {FORMATS.map(([format, label, text]) => (
          <li key={format}>
            <button type="button" disabled={busy} aria-pressed={running?.format === format} onClick={() => void make(format)}>
              <span>
                <strong>{label}</strong>
                <small>{text}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <div class="result" aria-live="polite">
        {busy && (
          <>
            <p class="hint">Making the {name} file…</p>
            <progress aria-label="Making the export" />
          </>
        )}
        {running?.state === 'failed' && <p class="error">{running.error}</p>}
        {running?.state === 'succeeded' && running.download_url && (
          <a class="primary" href={running.download_url} download>
            Download {name} {running.bytes !== null && <small>{size(running.bytes)}</small>}
          </a>
        )}
      </div>
    </Dialog>
  )
}
