/** The documents of the organization, one below another. */

import { useState } from 'preact/hooks'
import { patch } from '../api'
import { Icon, IconButton } from '../parts'
import { place } from '../router'
import { attempt, createDocument, docs, took } from '../state'
import type { Doc } from '../types'

export function Tree() {
  const known = new Set(docs.value.map((each) => each.id))
  const roots = docs.value.filter((each) => !each.parent_id || !known.has(each.parent_id))
  return (
    <ul class="tree" aria-label="All documents" onDragOver={(event) => event.preventDefault()} onDrop={(event) => drop(event, null)}>
      {roots.map((each) => (
        <Branch key={each.id} doc={each} depth={0} />
      ))}
      {!roots.length && <li class="hint">No documents yet.</li>}
    </ul>
  )
}

function Branch({ doc, depth }: { doc: Doc; depth: number }) {
  const [open, setOpen] = useState(true)
  const children = docs.value.filter((each) => each.parent_id === doc.id)
  const here = place.value.name === 'document' && place.value.id === doc.id
  return (
    <li>
      <div
        class={here ? 'leaf here' : 'leaf'}
        style={{ paddingInlineStart: `${depth * 14 + 4}px` }}
        draggable
        onDragStart={(event) => event.dataTransfer?.setData('text/doxie', doc.id)}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => drop(event, doc.id)}
      >
        {children.length ? (
          <button
            type="button"
            class={open ? 'twist open' : 'twist'}
            aria-expanded={open}
            aria-label={`Documents below ${doc.title || 'Untitled'}`}
            onClick={() => setOpen(!open)}
          >
            <Icon name="chevron" />
          </button>
        ) : (
          <span class="twist">
            <Icon name="page" />
          </span>
        )}
        <a href={`/d/${doc.id}`} aria-current={here ? 'page' : undefined}>
          {doc.title || 'Untitled'}
        </a>
        <IconButton icon="plus" label={`New document below ${doc.title || 'Untitled'}`} onClick={() => void createDocument(doc.id)} />
      </div>
      {open && children.length > 0 && (
        <ul>
          {children.map((each) => (
            <Branch key={each.id} doc={each} depth={depth + 1} />
          ))}
        </ul>
      )}
    </li>
  )
}

function drop(event: DragEvent, parent: string | null): void {
  const id = event.dataTransfer?.getData('text/doxie')
  if (!id || id === parent) return
  event.preventDefault()
  event.stopPropagation()
  void attempt(async () => took(await patch<Doc>(`/documents/${id}`, { parent_id: parent })))
}
