/** Every moment of a document: a slider through its edits, its revisions, what changed, and the way back. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { all, bytes, get, post, request } from '../api'
import { Avatar, Field, Time, size, values } from '../parts'
import { attempt, say } from '../state'
import type { Doc, Member, Revision } from '../types'

export function History({ doc }: { doc: Doc }) {
  const [last, setLast] = useState(doc.seq)
  const [seq, setSeq] = useState(doc.seq)
  const [revisions, setRevisions] = useState<Revision[]>([])
  const [people, setPeople] = useState<Map<string, Member>>(new Map())
  const [difference, setDifference] = useState<string | null>(null)
  const load = () =>
    attempt(async () => {
      const now = await get<Doc>(`/documents/${doc.id}`)
      setLast(now.seq)
      setSeq(now.seq)
      setRevisions(await all<Revision>(`/documents/${doc.id}/revisions`))
      const members = await all<Member>(`/orgs/${doc.org_id}/members`).catch(() => [])
      setPeople(new Map(members.map((member) => [member.user_id, member])))
    })
  useEffect(() => void load(), [doc.id])
  const name = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const wanted = values(event).name ?? ''
    if (!(await attempt(() => post(`/documents/${doc.id}/revisions`, { name: wanted }).then(() => true)))) return
    form.reset()
    say('Named.')
    await load()
  }
  const restore = async (revision: Revision) => {
    if (!(await attempt(() => post(`/documents/${doc.id}/revisions/${revision.number}/restore`).then(() => true)))) return
    say(`Revision ${revision.number} is back, as a new edit.`)
    await load()
  }
  const compare = async (revision: Revision) => {
    const path = `/documents/${doc.id}/revisions/${revision.number}/diff?from=${Math.max(0, revision.number - 1)}`
    const answer = await attempt(() => request('GET', path, { headers: { accept: 'text/html' } }))
    if (answer) setDifference(await answer.text())
  }
  return (
    <>
      <section class="paper past" aria-label="The document as it was">
        <div class="slider">
          <label for="moment">
            Edit {seq} of {last}
          </label>
          <input
            id="moment"
            type="range"
            min={0}
            max={last}
            value={seq}
            onInput={(event) => {
              setDifference(null)
              setSeq(Number(event.currentTarget.value))
            }}
          />
        </div>
        {difference === null ? <Past id={doc.id} seq={seq} /> : <Difference html={difference} />}
      </section>
      <aside class="panel" aria-label="Revisions">
        <h2>Revisions</h2>
        <form class="inline" onSubmit={name}>
          <Field label="Name this version" name="name" required maxLength={200} />
          <button>Name</button>
        </form>
        <ol class="runs">
          {revisions.map((revision) => (
            <li key={revision.id}>
              <div class="row">
                <strong>{revision.name ?? `Revision ${revision.number}`}</strong>
                <span class="people">
                  {revision.authors.map((id) => (
                    <Avatar key={id} id={id} name={people.get(id)?.name ?? 'Somebody'} />
                  ))}
                </span>
              </div>
              <small>
                <Time at={revision.created_at} /> · edits {revision.seq_from}–{revision.seq_to}
                {revision.bytes_stored !== null && ` · ${size(revision.bytes_stored)}`}
              </small>
              <div class="row">
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    setDifference(null)
                    setSeq(revision.seq_to)
                  }}
                >
                  Show
                </button>
                <button type="button" class="link" onClick={() => void compare(revision)}>
                  Changes
                </button>
                <button type="button" class="link" onClick={() => void restore(revision)}>
                  Restore
                </button>
              </div>
            </li>
          ))}
        </ol>
      </aside>
    </>
  )
}

function Past({ id, seq }: { id: string; seq: number }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let close: (() => void) | null = null
    let left = false
    const waiting = setTimeout(async () => {
      const [update, editing] = await Promise.all([
        attempt(() => bytes(`/documents/${id}/state?seq=${seq}`)),
        import('../editor/editor'),
      ])
      if (left || !update || !place.current) return
      close = editing.show(place.current, update)
    }, 60)
    return () => {
      left = true
      clearTimeout(waiting)
      close?.()
    }
  }, [id, seq])
  return <div class="surface" ref={place} data-seq={seq} />
}

/** The server escapes what people wrote; nothing in here can run under the policy of this page. */
function Difference({ html }: { html: string }) {
  const inner = html.match(/<body[^>]*>([\s\S]*)<\/body>/)?.[1] ?? html
  return <div class="surface difference tiptap" dangerouslySetInnerHTML={{ __html: inner }} />
}
