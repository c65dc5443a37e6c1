/** The editor, and a reader for how a document once was. This file and what it imports is a chunk of its own. */

import { Editor } from '@tiptap/core'
import Collaboration from '@tiptap/extension-collaboration'
import CollaborationCaret from '@tiptap/extension-collaboration-caret'
import { Placeholder } from '@tiptap/extensions'
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
    },
  })
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
