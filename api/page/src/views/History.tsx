/** Every moment of a document: a slider through its edits, its versions, what changed, and the way back. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { all, bytes, get, post, request } from '../api'
import { Avatar, count, Field, IconButton, Time, values } from '../parts'
import { attempt, say } from '../state'
import type { Doc, Member, Revision } from '../types'

interface Difference {
  title: string
  html: string
}

export function History({ doc }: { doc: Doc }) {
  const [last, setLast] = useState(doc.seq)
  const [seq, setSeq] = useState(doc.seq)
  const [revisions, setRevisions] = useState<Revision[] | null>(null)
  const [names, setNames] = useState<Map<string, string>>(new Map())
  const [difference, setDifference] = useState<Difference | null>(null)
  const load = () =>
    attempt(async () => {
      const now = await get<Doc>(`/documents/${doc.id}`)
      setLast(now.seq)
      setSeq(now.seq)
      setRevisions(await all<Revision>(`/documents/${doc.id}/revisions`))
    })
  useEffect(() => {
    void load()
    void all<Member>(`/orgs/${doc.org_id}/members`).then(
      (members) => setNames(new Map(members.map((member) => [member.user_id, member.name]))),
      () => undefined, // guests do not see who is there
    )
  }, [doc.id])
  const go = (wanted: number) => {
    setDifference(null)
    setSeq(Math.max(0, Math.min(last, wanted)))
  }
  const name = async (event: Event) => {
    const form = event.currentTarget as HTMLFormElement
    const wanted = values(event).name ?? ''
    if (!(await attempt(() => post(`/documents/${doc.id}/revisions`, { name: wanted }).then(() => true)))) return
    form.reset()
    say(`Kept as “${wanted}”.`)
    await load()
  }
  const restore = async (revision: Revision) => {
    if (!(await attempt(() => post(`/documents/${doc.id}/revisions/${revision.number}/restore`).then(() => true)))) return
    setDifference(null)
    say(`${titleOf(revision)} is back, as a new edit. Nothing of what came after is lost.`)
    await load()
  }
  const compare = async (title: string, path: string) => {
    const answer = await attempt(() => request('GET', path, { headers: { accept: 'text/html' } }))
    if (answer) setDifference({ title, html: await answer.text() })
  }
  const within =
    revisions?.find((revision) => revision.seq_to === seq) ??
    revisions?.find((revision) => revision.seq_from <= seq && seq <= revision.seq_to)
  return (
    <>
      <section class="paper past" aria-label="The document as it was">
        <div class="slider">
          <div class="row">
            <label for="moment" class="grow">
              Edit {seq} of {last}
              {within && (
                <>
                  {' '}
                  · <Time at={within.created_at} />
                </>
              )}
            </label>
            {within && <Authors revision={within} names={names} />}
            <IconButton icon="back" label="One edit back" disabled={seq === 0} onClick={() => go(seq - 1)} />
            <IconButton icon="chevron" label="One edit on" disabled={seq === last} onClick={() => go(seq + 1)} />
          </div>
          <input id="moment" type="range" min={0} max={last} value={seq} onInput={(event) => go(Number(event.currentTarget.value))} />
        </div>
        {difference === null ? <Past id={doc.id} seq={seq} /> : <Changes {...difference} onClose={() => setDifference(null)} />}
      </section>
      <aside class="panel" aria-label="Versions">
        <h2>Versions</h2>
        {doc.level !== 'read' && doc.level !== 'comment' && (
          <form class="inline" onSubmit={name}>
            <Field label="Name this version" name="name" placeholder="First draft" required maxLength={200} />
            <button>Name</button>
          </form>
        )}
        {revisions?.length === 0 && <p class="quiet">A version is made by itself a moment after you have written something.</p>}
        <ol class="runs">
          {revisions?.map((revision) => (
            <li key={revision.id} class={within === revision ? 'here' : ''} aria-current={within === revision ? 'true' : undefined}>
              <div class="row">
                <strong class="grow">{titleOf(revision)}</strong>
                <Authors revision={revision} names={names} />
              </div>
              <small>
                <Time at={revision.created_at} />
                {revision.seq_to >= revision.seq_from && ` · ${count(revision.seq_to - revision.seq_from + 1, 'edit')}`}
              </small>
              <div class="row">
                <button type="button" class="link" onClick={() => go(revision.seq_to)}>
                  Show
                </button>
                <button
                  type="button"
                  class="link"
                  onClick={() =>
                    void compare(
                      `What changed in ${titleOf(revision)}`,
                      `/documents/${doc.id}/revisions/${revision.number}/diff?from=${previous(revisions, revision)}`,
                    )
                  }
                >
                  Changes
                </button>
                <button
                  type="button"
                  class="link"
                  onClick={() => void compare(`What changed since ${titleOf(revision)}`, `/documents/${doc.id}/diff?from=${revision.number}`)}
                >
                  Since then
                </button>
                {doc.level !== 'read' && doc.level !== 'comment' && (
                  <button type="button" class="link" onClick={() => void restore(revision)}>
                    Restore
                  </button>
                )}
              </div>
            </li>
          ))}
        </ol>
      </aside>
    </>
  )
}

function titleOf(revision: Revision): string {
  return revision.name ?? (revision.kind === 'restore' ? `Restored (${revision.number})` : `Version ${revision.number}`)
}

/** The number of the version before; 0, the empty document, before the first. Numbers have gaps where some were thinned out. */
function previous(revisions: Revision[], revision: Revision): number {
  return Math.max(0, ...revisions.filter((each) => each.number < revision.number).map((each) => each.number))
}

function Authors({ revision, names }: { revision: Revision; names: Map<string, string> }) {
  return (
    <span class="people" role="group" aria-label="Written by">
      {revision.authors.map((id) => (
        <Avatar key={id} id={id} name={names.get(id) ?? 'Somebody'} />
      ))}
    </span>
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
function Changes({ title, html, onClose }: Difference & { onClose: () => void }) {
  const inner = html.match(/<body[^>]*>([\s\S]*)<\/body>/)?.[1] ?? html
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    for (const box of place.current?.querySelectorAll('input') ?? []) box.ariaLabel = `Done: ${box.parentElement?.textContent?.trim()}`
  }, [inner])
  return (
    <>
      <div class="row changes" role="status">
        <strong class="grow">{title}</strong>
        <span class="legend">
          <ins>added</ins> <del>removed</del>
        </span>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
      <div ref={place} class="surface difference tiptap" dangerouslySetInnerHTML={{ __html: inner }} />
    </>
  )
}
