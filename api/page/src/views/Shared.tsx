/** A document that somebody opened by a link, signed in or not. */

import type { Editor } from '@tiptap/core'
import { useEffect, useState } from 'preact/hooks'
import { post, Problem, request } from '../api'
import type { Connection } from '../editor/connection'
import { Field, values } from '../parts'
import { linkToken } from '../router'
import { attempt, me } from '../state'
import type { CollabToken, Doc } from '../types'
import { Full, People, Refused, SavedIndicator, Surface } from './Document'
import { Toolbar } from './Toolbar'

interface Opened {
  title: string
  connection: Connection
}

export function Shared() {
  const [token] = useState(linkToken)
  const [opened, setOpened] = useState<Opened | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const open = async (password?: string) => {
    try {
      setOpened(await opening(token, password))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      setProblem(error)
    }
  }
  useEffect(() => void attempt(open), [])
  useEffect(() => () => opened?.connection.close(), [opened])
  if (opened) return <Page {...opened} />
  if (problem?.name !== 'PasswordNeeded' && problem?.status !== 401) return problem ? <p class="empty">{problem.message}</p> : null
  return (
    <main class="door">
      <form class="card" onSubmit={(event) => void attempt(() => open(values(event).password))}>
        <h1>This link has a password</h1>
        <Field label="Password" name="password" type="password" required autofocus />
        <button class="primary">Open</button>
      </form>
    </main>
  )
}

async function opening(token: string, password?: string): Promise<Opened> {
  const [link, editing] = await Promise.all([
    post<{ access_token: string }>('/shared/open', password ? { token, password } : { token }),
    import('../editor/editor'),
  ])
  const headers = { authorization: `Bearer ${link.access_token}` }
  const fetchToken = async () => (await request('POST', '/shared/collab-token', { headers, again: true })).json() as Promise<CollabToken>
  const doc = (await (await request('GET', '/shared/document', { headers })).json()) as Doc
  const author = { id: me.value?.id ?? `visitor-${crypto.randomUUID()}`, name: me.value?.name ?? 'Visitor', visits: true }
  return { title: doc.title, connection: await editing.Connection.open(doc.id, author, await fetchToken(), fetchToken) }
}

function Page({ title, connection }: Opened) {
  const [editor, setEditor] = useState<Editor | null>(null)
  useEffect(() => {
    document.title = `${title || 'Untitled'} · Doxie`
  }, [title])
  return (
    <main class="view document">
      <header class="bar">
        <SavedIndicator connection={connection} />
        <span class="grow" />
        <People connection={connection} />
      </header>
      <Refused connection={connection} />
      <Full connection={connection} />
      <article class="paper">
        <h1 class="title">{title || 'Untitled'}</h1>
        {editor && connection.access.value === 'write' && <Toolbar editor={editor} />}
        <Surface connection={connection} onEditor={setEditor} />
      </article>
    </main>
  )
}
