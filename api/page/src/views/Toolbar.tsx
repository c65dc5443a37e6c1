/** Marks and blocks at a click. */

import type { Editor } from '@tiptap/core'
import { useEffect, useState } from 'preact/hooks'

interface Tool {
  label: string
  face: string
  mark?: string
  attributes?: Record<string, unknown>
  run: (editor: Editor) => boolean
}

const TOOLS: Tool[] = [
  { label: 'Bold', face: 'B', mark: 'bold', run: (editor) => editor.chain().focus().toggleBold().run() },
  { label: 'Italic', face: 'I', mark: 'italic', run: (editor) => editor.chain().focus().toggleItalic().run() },
  { label: 'Strikethrough', face: 'S', mark: 'strike', run: (editor) => editor.chain().focus().toggleStrike().run() },
  { label: 'Code', face: '<>', mark: 'code', run: (editor) => editor.chain().focus().toggleCode().run() },
  { label: 'Link', face: '↗', mark: 'link', run: link },
  {
    label: 'Heading',
    face: 'H',
    mark: 'heading',
    run: (editor) => editor.chain().focus().toggleHeading({ level: 2 }).run(),
  },
  { label: 'Bullet list', face: '•', mark: 'bulletList', run: (editor) => editor.chain().focus().toggleBulletList().run() },
  { label: '1. Numbered list', face: '1.', mark: 'orderedList', run: (editor) => editor.chain().focus().toggleOrderedList().run() },
  { label: 'Task list', face: '☑', mark: 'taskList', run: (editor) => editor.chain().focus().toggleTaskList().run() },
  { label: 'Quote', face: '”', mark: 'blockquote', run: (editor) => editor.chain().focus().toggleBlockquote().run() },
  { label: 'Code block', face: '{ }', mark: 'codeBlock', run: (editor) => editor.chain().focus().toggleCodeBlock().run() },
]

const TABLE: Tool[] = [
  { label: 'Add a row', face: '+ row', run: (editor) => editor.chain().focus().addRowAfter().run() },
  { label: 'Add a column', face: '+ column', run: (editor) => editor.chain().focus().addColumnAfter().run() },
  { label: 'Delete the row', face: '− row', run: (editor) => editor.chain().focus().deleteRow().run() },
  { label: 'Delete the column', face: '− column', run: (editor) => editor.chain().focus().deleteColumn().run() },
  { label: 'Delete the table', face: '− table', run: (editor) => editor.chain().focus().deleteTable().run() },
]

export function Toolbar({ editor }: { editor: Editor }) {
  const [, redraw] = useState(0)
  useEffect(() => {
    const changed = () => redraw((count) => count + 1)
    editor.on('transaction', changed)
    return () => {
      editor.off('transaction', changed)
    }
  }, [editor])
  const tools = editor.isActive('table') ? [...TOOLS, ...TABLE] : TOOLS
  return (
    <div class="toolbar" role="toolbar" aria-label="Formatting">
      {tools.map((tool) => (
        <button
          key={tool.label}
          type="button"
          aria-label={tool.label}
          title={tool.label}
          aria-pressed={tool.mark ? editor.isActive(tool.mark) : undefined}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => tool.run(editor)}
        >
          <span aria-hidden="true">{tool.face}</span>
        </button>
      ))}
    </div>
  )
}

function link(editor: Editor): boolean {
  if (editor.isActive('link')) return editor.chain().focus().unsetLink().run()
  const href = prompt('Address')
  return href ? editor.chain().focus().extendMarkRange('link').setLink({ href }).run() : false
}
