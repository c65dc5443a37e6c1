/** The documents of the organization, one below another. */

import { useState } from 'preact/hooks'
import { Menu, type Act } from '../menu'
import { Dialog, Icon, IconButton } from '../parts'
import { place } from '../router'
import { createDocument, docs, move, org, trash } from '../state'
import type { Doc } from '../types'

const KIND = 'text/doxie'

export function Tree() {
  const [moving, setMoving] = useState<Doc | null>(null)
  const known = new Set(docs.value.map((each) => each.id))
  const roots = docs.value.filter((each) => !each.parent_id || !known.has(each.parent_id))
  return (
    <>
      <ul class="tree" aria-label="All documents" {...target(null)}>
        {roots.map((each) => (
          <Branch key={each.id} doc={each} depth={0} onMove={setMoving} />
        ))}
        {!roots.length && <li class="hint">No documents yet.</li>}
      </ul>
      {moving && <MoveDialog doc={moving} onClose={() => setMoving(null)} />}
    </>
  )
}

interface BranchProps {
  doc: Doc
  depth: number
  onMove: (doc: Doc) => void
}

function Branch({ doc, depth, onMove }: BranchProps) {
  const [open, setOpen] = useState(true)
  const children = docs.value.filter((each) => each.parent_id === doc.id)
  const here = place.value.name === 'document' && place.value.id === doc.id
  const name = doc.title || 'Untitled'
  return (
    <li>
      <div
        class={here ? 'leaf here' : 'leaf'}
        style={{ paddingInlineStart: `${depth * 14 + 4}px` }}
        draggable={mayWrite(doc)}
        onDragStart={(event) => event.dataTransfer?.setData(KIND, doc.id)}
        {...target(doc)}
      >
        {children.length ? (
          <button type="button" class={open ? 'twist open' : 'twist'} aria-expanded={open} aria-label={`Documents below ${name}`} onClick={() => setOpen(!open)}>
            <Icon name="chevron" />
          </button>
        ) : (
          <span class="twist">
            <Icon name="page" />
          </span>
        )}
        <a href={`/d/${doc.id}`} aria-current={here ? 'page' : undefined} title={name}>
          {name}
        </a>
        {mayWrite(doc) && <Menu label={`More about ${name}`} acts={acts(doc, onMove)} />}
        {mayWrite(doc) && org.value?.role !== 'guest' && <IconButton icon="plus" label={`New document below ${name}`} onClick={() => void createDocument(doc.id)} />}
      </div>
      {open && children.length > 0 && (
        <ul>
          {children.map((each) => (
            <Branch key={each.id} doc={each} depth={depth + 1} onMove={onMove} />
          ))}
        </ul>
      )}
    </li>
  )
}

function mayWrite(doc: Doc): boolean {
  return doc.level === 'write' || doc.level === 'manage'
}

function acts(doc: Doc, onMove: (doc: Doc) => void): Act[] {
  return [
    { label: 'Move to…', icon: 'move', run: () => onMove(doc) },
    ...(doc.level === 'manage' ? [{ label: 'Move to trash', icon: 'trash', danger: true, run: () => void trash(doc) } as Act] : []),
  ]
}

/** What a document can be dropped on: another one, or the list itself. */
function target(doc: Doc | null) {
  return {
    onDragOver: (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes(KIND) || (doc && !mayWrite(doc))) return
      event.preventDefault()
      event.stopPropagation()
      ;(event.currentTarget as Element).classList.add('aim')
    },
    onDragLeave: (event: DragEvent) => (event.currentTarget as Element).classList.remove('aim'),
    onDrop: (event: DragEvent) => {
      ;(event.currentTarget as Element).classList.remove('aim')
      const id = event.dataTransfer?.getData(KIND)
      if (!id || id === doc?.id) return
      event.preventDefault()
      event.stopPropagation()
      void move(id, doc?.id ?? null)
    },
  }
}

/** The way to move a document without a mouse. */
function MoveDialog({ doc, onClose }: { doc: Doc; onClose: () => void }) {
  const [words, setWords] = useState('')
  const below = descendants(doc.id)
  const found = docs.value.filter(
    (each) => !below.has(each.id) && each.id !== doc.parent_id && mayWrite(each) && each.title.toLowerCase().includes(words.toLowerCase()),
  )
  const choose = (parent: string | null) => void move(doc.id, parent).then(onClose)
  return (
    <Dialog title={`Move “${doc.title || 'Untitled'}”`} onClose={onClose}>
      <input type="search" aria-label="Find a document" placeholder="Below which document?" value={words} onInput={(event) => setWords(event.currentTarget.value)} autofocus />
      <ul class="picks">
        {doc.parent_id && (
          <li>
            <button type="button" onClick={() => choose(null)}>
              <Icon name="menu" /> Top of the list
            </button>
          </li>
        )}
        {found.map((each) => (
          <li key={each.id}>
            <button type="button" onClick={() => choose(each.id)}>
              <Icon name="page" /> {each.title || 'Untitled'}
            </button>
          </li>
        ))}
        {!found.length && <li class="hint">No other document fits.</li>}
      </ul>
    </Dialog>
  )
}

/** A document and all below it: it cannot be moved there. */
function descendants(id: string): Set<string> {
  const found = new Set([id])
  for (let size = 0; size !== found.size; ) {
    size = found.size
    for (const each of docs.value) if (each.parent_id && found.has(each.parent_id)) found.add(each.id)
  }
  return found
}
