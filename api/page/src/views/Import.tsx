/** Files that become documents, and what became of each. */

import { useRef, useState } from 'preact/hooks'
import { get, request } from '../api'
import { count, following, Icon, size } from '../parts'
import { attempt, loadDocs, org } from '../state'
import { Sheet } from './Shell'

interface Item {
  path: string
  state: 'imported' | 'failed'
  document_id: string | null
  error: string | null
  notes: string[]
}

interface Import {
  id: string
  state: 'pending' | 'running' | 'succeeded' | 'failed'
  done: number
  total: number | null
  error: string | null
  items: Item[]
}

/** A file, and how far its import is: null as long as it is sent. */
interface Upload {
  file: File
  now: Import | null
  refused?: boolean
}

const TYPES: Record<string, string> = {
  md: 'text/markdown',
  markdown: 'text/markdown',
  txt: 'text/markdown',
  html: 'text/html',
  htm: 'text/html',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  zip: 'application/zip',
}

export function ImportView() {
  const [uploads, setUploads] = useState<Upload[]>([])
  const [aimed, setAimed] = useState(false)
  const picker = useRef<HTMLInputElement>(null)
  const take = async (files: FileList | null | undefined) => {
    const taken: Upload[] = [...(files ?? [])].map((file) => ({ file, now: null }))
    setUploads((known) => [...taken, ...known])
    for (const upload of taken) {
      const show = (changed: Partial<Upload>) =>
        setUploads((known) => known.map((each) => (each.file === upload.file ? { ...each, ...changed } : each)))
      const first = await attempt(() => send(upload.file))
      if (first) await following(first, (id) => attempt(() => get<Import>(`/imports/${id}`)), (now) => show({ now }))
      else show({ refused: true })
      await attempt(loadDocs)
    }
  }
  return (
    <Sheet title="Import" hint={`New documents in ${org.value?.name ?? 'your organization'}, from files you have.`}>
      <div
        class={aimed ? 'drop aim' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault()
          setAimed(true)
        }}
        onDragLeave={() => setAimed(false)}
        onDrop={(event) => {
          event.preventDefault()
          setAimed(false)
          void take(event.dataTransfer?.files)
        }}
      >
        <Icon name="upload" />
        <p>
          <strong>Drop files here</strong>
          <br />
          <span class="hint">Markdown, text, HTML, Word (.docx), or a zip of them.</span>
        </p>
        <button type="button" class="primary" onClick={() => picker.current?.click()}>
          Choose files
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          aria-label="Files to import"
          accept={Object.keys(TYPES).map((suffix) => `.${suffix}`).join()}
          onChange={(event) => {
            void take(event.currentTarget.files)
            event.currentTarget.value = ''
          }}
        />
      </div>
      <div aria-live="polite">
        {uploads.map((upload, index) => (
          <Report key={uploads.length - index} {...upload} />
        ))}
      </div>
    </Sheet>
  )
}

async function send(file: File): Promise<Import> {
  const suffix = file.name.split('.').at(-1)?.toLowerCase() ?? ''
  const headers = { 'content-type': TYPES[suffix] ?? (file.type || 'application/octet-stream') }
  const path = `/orgs/${org.value?.id}/imports?file_name=${encodeURIComponent(file.name)}`
  return (await request('POST', path, { raw: file, headers })).json() as Promise<Import>
}

function Report({ file, now, refused }: Upload) {
  const busy = !refused && (!now || now.state === 'pending' || now.state === 'running')
  const imported = now?.items.filter((item) => item.state === 'imported').length ?? 0
  return (
    <section class="report" aria-label={file.name}>
      <header class="row">
        <strong class="grow">{file.name}</strong>
        <small>{size(file.size)}</small>
      </header>
      {busy && <progress aria-label={`Importing ${file.name}`} max={now?.total ?? undefined} value={now?.total ? now.done : undefined} />}
      {refused && <p class="error">This file cannot be imported.</p>}
      {now?.error && <p class="error">{now.error}</p>}
      {now?.state === 'succeeded' && (
        <p class="hint">
          {count(imported, 'document')} made{now.items.length > imported && `, ${now.items.length - imported} not`}.
        </p>
      )}
      <ul class="list">
        {now?.items.map((item) => (
          <li key={item.path} class="row">
            <span class={item.state === 'imported' ? 'good' : 'bad'}>
              <Icon name={item.state === 'imported' ? 'check' : 'close'} />
            </span>
            <span class="grow">
              {item.document_id ? <a href={`/d/${item.document_id}`}>{item.path}</a> : item.path}
              {item.error && <small class="error">{item.error}</small>}
              {item.notes.map((note) => (
                <small key={note}>{note}</small>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
