/** One document: its title, its editor, who else is there, whether it is saved, and what can be done with it. */

import type { Editor } from '@tiptap/core'
import { useEffect, useRef, useState } from 'preact/hooks'
import { get, patch, post, Problem, put } from '../api'
import type { Connection } from '../editor/connection'
import { Menu, type Act } from '../menu'
import { fetchToken, opening } from '../opening'
import { Avatar, count, Empty, IconButton } from '../parts'
import { forgetCopy } from '../remembered'
import { go } from '../router'
import { attempt, docs, loadDocs, me, orgs, say, took, trash } from '../state'
import type { Doc } from '../types'
import { ExportDialog } from './Export'
import { History } from './History'
import { Pipeline } from './Pipeline'
import { ShareDialog } from './Share'
import { MenuButton } from './Shell'
import { Toolbar } from './Toolbar'

interface Opened {
  doc: Doc
  connection: Connection
}

export function DocumentView({ id, tab }: { id: string; tab?: string }) {
  const [opened, setOpened] = useState<Opened | null>(null)
  const [missing, setMissing] = useState<unknown>(null)
  useEffect(() => {
    let connection: Connection | null = null
    let left = false
    const open = async () => {
      const { doc, first, editing } = await opening(id)
      if (left || !me.value) return
      const { id: userId, name } = me.value
      const made = await editing.Connection.open(id, { id: userId, name }, first, () => fetchToken(id))
      if (left) return made.close()
      connection = made
      setOpened({ doc, connection })
    }
    open().catch((error: unknown) => {
      if (me.value && error instanceof Problem && (error.status === 403 || error.status === 404)) forgetCopy(me.value.id, id)
      setMissing(error)
    })
    return () => {
      left = true
      connection?.close()
    }
  }, [id])
  if (missing) return <Missing id={id} error={missing} />
  return opened ? <Open {...opened} tab={tab} /> : <div class="loading" role="status" aria-label="Loading" />
}

function Missing({ id, error }: { id: string; error: unknown }) {
  const [asked, setAsked] = useState(false)
  const denied = error instanceof Problem && error.status === 403
  const ask = async () => {
    if (await attempt(() => post(`/documents/${id}/access-requests`, { level: 'read' }).then(() => true))) setAsked(true)
  }
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
      </header>
      <Empty icon="shield" title={denied ? 'You cannot open this document' : 'This document cannot be opened'}>
        <p>{error instanceof Error ? error.message : String(error)}</p>
        {denied &&
          (asked ? (
            <p role="status">Whoever manages the document has been asked. You will be told.</p>
          ) : (
            <button type="button" class="primary" onClick={() => void ask()}>
              Ask for access
            </button>
          ))}
        {!denied && <a href="/">Back to the documents</a>}
      </Empty>
    </div>
  )
}

function Open({ doc, connection, tab }: Opened & { tab?: string }) {
  const [editor, setEditor] = useState<Editor | null>(null)
  const [dialog, setDialog] = useState<'share' | 'export' | null>(null)
  const refused = connection.saved.value.kind === 'refused'
  useEffect(() => {
    if (refused) void attempt(loadDocs)
  }, [refused])
  const toggle = (name: string) => go(tab === name ? `/d/${doc.id}` : `/d/${doc.id}/${name}`)
  return (
    <div class={tab ? 'view document with-panel' : 'view document'}>
      <header class="bar">
        <MenuButton />
        <SavedIndicator connection={connection} />
        <span class="grow" />
        <People connection={connection} />
        <IconButton icon="history" label="History" aria-pressed={tab === 'history'} onClick={() => toggle('history')} />
        <IconButton icon="flow" label="Pipeline" aria-pressed={tab === 'pipeline'} onClick={() => toggle('pipeline')} />
        <IconButton icon="download" label="Export" onClick={() => setDialog('export')} />
        <More doc={doc} />
        {doc.level === 'manage' && (
          <button type="button" class="primary share" onClick={() => setDialog('share')}>
            Share
          </button>
        )}
      </header>
      <Refused connection={connection} />
      <Full connection={connection} orgId={doc.org_id} />
      <div class="columns">
        <article class="paper" hidden={tab === 'history'}>
          <Title doc={doc} connection={connection} />
          {editor && connection.access.value === 'write' && <Toolbar editor={editor} />}
          <Surface connection={connection} onEditor={setEditor} />
        </article>
        {tab === 'history' && <History doc={doc} />}
        {tab === 'pipeline' && <Pipeline doc={doc} />}
      </div>
      {dialog === 'share' && <ShareDialog doc={doc} onClose={() => setDialog(null)} />}
      {dialog === 'export' && <ExportDialog doc={doc} onClose={() => setDialog(null)} />}
    </div>
  )
}

const WATCHING: [string, string, string][] = [
  ['default', 'Watch for changes', 'watch'],
  ['watch', 'Stop watching', 'default'],
  ['mute', 'Hear of it again', 'default'],
]

function More({ doc }: { doc: Doc }) {
  const [state, setState] = useState('default')
  useEffect(() => void get<{ state: string }>(`/documents/${doc.id}/watch`).then((found) => setState(found.state), () => undefined), [doc.id])
  const watch = (wanted: string, told: string) =>
    void attempt(async () => {
      setState((await put<{ state: string }>(`/documents/${doc.id}/watch`, { state: wanted })).state)
      say(told)
    })
  const [, label, next] = WATCHING.find(([each]) => each === state) ?? ['', 'Watch for changes', 'watch']
  const acts: Act[] = [
    { label, icon: 'bell', run: () => watch(next, next === 'watch' ? 'You are told when it changes.' : 'Back to the usual.') },
  ]
  if (state !== 'mute') acts.push({ label: 'Mute', icon: 'close', run: () => watch('mute', 'You hear nothing of this document.') })
  if (doc.level === 'manage') acts.push({ label: 'Move to trash', icon: 'trash', danger: true, run: () => void trash(doc) })
  return <Menu label="More about this document" acts={acts} />
}

export function Surface({ connection, onEditor }: { connection: Connection; onEditor: (editor: Editor | null) => void }) {
  const place = useRef<HTMLDivElement>(null)
  const access = connection.access.value
  useEffect(() => {
    let editor: Editor | null = null
    let left = false
    void import('../editor/editor').then(({ edit }) => {
      if (left || !place.current) return
      editor = edit(place.current, connection)
      onEditor(editor)
    })
    return () => {
      left = true
      onEditor(null)
      editor?.destroy()
    }
  }, [connection, access])
  return <div class="surface" ref={place} aria-busy={!connection.ready.value} />
}

function Title({ doc, connection }: { doc: Doc; connection: Connection }) {
  const known = docs.value.find((each) => each.id === doc.id)?.title ?? doc.title
  const [title, setTitle] = useState(known)
  useEffect(() => setTitle(known), [known])
  useEffect(() => {
    document.title = `${title || 'Untitled'} · Doxie`
  }, [title])
  const save = async () => {
    if (title === known) return
    await attempt(async () => took(await patch<Doc>(`/documents/${doc.id}`, { title })))
  }
  return (
    <h1>
      <input
        class="title"
        aria-label="Title"
        placeholder="Untitled"
        value={title}
        readOnly={connection.access.value !== 'write'}
        onInput={(event) => setTitle(event.currentTarget.value)}
        onBlur={() => void save()}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    </h1>
  )
}

export function SavedIndicator({ connection }: { connection: Connection }) {
  const { kind, unsaved, kept } = connection.saved.value
  const text = {
    opening: 'Opening…',
    saved: connection.access.value === 'write' ? 'Saved' : 'Read only',
    saving: 'Saving…',
    offline: unsaved ? `Offline · ${count(unsaved, 'unsaved edit')}${kept ? ' kept' : ''}` : 'Offline',
    full: `Full · ${count(unsaved, 'unsaved edit')}${kept ? ' kept' : ''}`,
    refused: 'Closed',
  }[kind]
  return (
    <span class={`indicator ${kind}`} role="status" data-testid="saved" data-unsaved={unsaved}>
      {text}
    </span>
  )
}

export function Refused({ connection }: { connection: Connection }) {
  const { kind, reason, unsaved } = connection.saved.value
  if (kind !== 'refused') return null
  return (
    <div class="banner" role="alert">
      You can no longer open this document{reason ? `: ${reason}` : '.'}
      {unsaved > 0 && ` ${unsaved} of your newest edits were not saved.`}
    </div>
  )
}

/** What is written now has no room: where it is meanwhile, and who can make room. */
export function Full({ connection, orgId }: { connection: Connection; orgId?: string }) {
  const { kind, reason, kept } = connection.saved.value
  if (kind !== 'full') return null
  const role = orgs.value.find((each) => each.id === orgId)?.role
  const everywhere = reason === 'organization is full'
  const what = everywhere
    ? 'This organization has no room left: what you write now is not saved.'
    : reason === 'document is full'
      ? 'This document has no room left: what you write now is not saved. Go on in another one.'
      : 'An edit of yours is too large to be saved.'
  return (
    <div class="banner" role="alert">
      {what} {kept ? 'It is kept in this browser' : 'It is only on this page: leave it open, or copy what you need'}
      {everywhere && (kept ? ', and saved as soon as there is room.' : '; it is saved as soon as there is room.')}
      {!everywhere && '.'}{' '}
      {everywhere && (role === 'owner' || role === 'admin' ? <a href={`/org/${orgId}/usage`}>See what takes the room</a> : 'Ask an admin of the organization to make room.')}
    </div>
  )
}

export function People({ connection }: { connection: Connection }) {
  return (
    <span class="people" role="group" aria-label="Also here">
      {connection.people.value.map((each) => (
        <Avatar key={each.id} id={each.id} name={each.name} />
      ))}
    </span>
  )
}
