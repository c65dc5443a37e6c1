/** The editor, and a reader for how a document once was. This file and what it imports is a chunk of its own. */

import { Editor } from '@tiptap/core'
import Collaboration from '@tiptap/extension-collaboration'
import CollaborationCaret from '@tiptap/extension-collaboration-caret'
import { Placeholder } from '@tiptap/extensions'
import { Selection } from '@tiptap/pm/state'
import type { EditorView } from '@tiptap/pm/view'
import * as Y from 'yjs'
import { colour } from '../parts'
import type { Connection } from './connection'
import { pictures } from './pictures'
import { schema } from './schema'
import { Slash } from './slash'

export { Connection } from './connection'
export type { Editor } from '@tiptap/core'

const FIELD = 'default'

export function edit(element: HTMLElement, connection: Connection): Editor {
  return new Editor({
    element,
    injectCSS: false,
    editable: connection.access.value === 'write',
    autofocus: false,
    extensions: [
      ...schema,
      Slash,
      Placeholder.configure({ placeholder: 'Write, or type “/” for what can be inserted', showOnlyWhenEditable: true }),
      Collaboration.configure({ document: connection.doc, field: FIELD, provider: connection.provider }),
      CollaborationCaret.configure({
        provider: connection.provider,
        user: { ...connection.author, color: colour(connection.author.id) },
        render: caret,
        selectionRender: (someone) => ({ class: 'selection', style: `background-color: ${someone.color}33` }),
      }),
    ],
    editorProps: {
      attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-label': 'Document', spellcheck: 'true' },
      handlePaste: (view, event) => pictures(view, event.clipboardData),
      handleDrop: (view, event) => pictures(view, event.dataTransfer),
      handleDOMEvents: { mousedown: (view, event) => beginBelow(view, event) },
    },
  })
}

/**
 * A click below a last block that is no text, such as a table, begins a paragraph there. An empty one is not put there
 * beforehand: whoever only looks at a document must not change it.
 */
function beginBelow(view: EditorView, event: MouseEvent): boolean {
  const { doc, schema: nodes } = view.state
  const last = view.dom.lastElementChild
  if (!view.editable || event.target !== view.dom || !last || !doc.lastChild || doc.lastChild.type === nodes.nodes.paragraph) return false
  if (event.clientY <= last.getBoundingClientRect().bottom) return false
  const paragraph = nodes.nodes.paragraph?.create()
  if (!paragraph) return false
  const change = view.state.tr.insert(doc.content.size, paragraph)
  view.dispatch(change.setSelection(Selection.atEnd(change.doc)))
  view.focus()
  event.preventDefault()
  return true
}

/** Show a state without letting anybody change it. */
export function show(element: HTMLElement, update: Uint8Array): () => void {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, update)
  const editor = new Editor({
    element,
    injectCSS: false,
    editable: false,
    extensions: [...schema, Collaboration.configure({ document: doc, field: FIELD })],
    editorProps: { attributes: { 'aria-label': 'The document as it was', role: 'document' } },
  })
  return () => {
    editor.destroy()
    doc.destroy()
  }
}

function caret(someone: Record<string, string>): HTMLElement {
  const bar = document.createElement('span')
  bar.className = 'caret'
  bar.style.borderColor = someone.color ?? ''
  const label = document.createElement('span')
  label.className = 'caret-name'
  label.style.backgroundColor = someone.color ?? ''
  label.textContent = someone.name ?? ''
  bar.append(label)
  return bar
}
