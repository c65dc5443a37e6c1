/** Marks and blocks at a click. */

import type { Editor } from '@tiptap/core'
import { useEffect, useState } from 'preact/hooks'
import { Dialog, Field, Icon, type IconName, values } from '../parts'

interface Tool {
  label: string
  icon?: IconName
  face?: string
  mark?: string
  run: (editor: Editor) => boolean
}

/** In groups, with a line between them. */
const TOOLS: Tool[][] = [
  [
    { label: 'Heading', icon: 'heading', mark: 'heading', run: (editor) => editor.chain().focus().toggleHeading({ level: 2 }).run() },
    { label: 'Bold', icon: 'bold', mark: 'bold', run: (editor) => editor.chain().focus().toggleBold().run() },
    { label: 'Italic', icon: 'italic', mark: 'italic', run: (editor) => editor.chain().focus().toggleItalic().run() },
    { label: 'Strikethrough', icon: 'strike', mark: 'strike', run: (editor) => editor.chain().focus().toggleStrike().run() },
    { label: 'Code', icon: 'code', mark: 'code', run: (editor) => editor.chain().focus().toggleCode().run() },
  ],
  [
    { label: 'Bullet list', icon: 'bullets', mark: 'bulletList', run: (editor) => editor.chain().focus().toggleBulletList().run() },
    { label: 'Numbered list', icon: 'numbers', mark: 'orderedList', run: (editor) => editor.chain().focus().toggleOrderedList().run() },
    { label: 'Task list', icon: 'tasks', mark: 'taskList', run: (editor) => editor.chain().focus().toggleTaskList().run() },
    { label: 'Quote', icon: 'quote', mark: 'blockquote', run: (editor) => editor.chain().focus().toggleBlockquote().run() },
    { label: 'Code block', icon: 'codeblock', mark: 'codeBlock', run: (editor) => editor.chain().focus().toggleCodeBlock().run() },
  ],
]

const INSERTS: Tool[] = [
  { label: 'Table', icon: 'table', run: (editor) => editor.chain().focus().insertTable({ rows: 3, cols: 3, withHeaderRow: true }).run() },
  { label: 'Picture', icon: 'picture', run: picture },
]

const TABLE: Tool[] = [
  { label: 'Add a row', face: '+ Row', run: (editor) => editor.chain().focus().addRowAfter().run() },
  { label: 'Add a column', face: '+ Column', run: (editor) => editor.chain().focus().addColumnAfter().run() },
  { label: 'Delete the row', face: '− Row', run: (editor) => editor.chain().focus().deleteRow().run() },
  { label: 'Delete the column', face: '− Column', run: (editor) => editor.chain().focus().deleteColumn().run() },
  { label: 'Delete table', face: 'Delete table', run: (editor) => editor.chain().focus().deleteTable().run() },
]

export function Toolbar({ editor }: { editor: Editor }) {
  const [, redraw] = useState(0)
  const [linking, setLinking] = useState(false)
  useEffect(() => {
    const changed = () => redraw((count) => count + 1)
    editor.on('transaction', changed)
    return () => {
      editor.off('transaction', changed)
    }
  }, [editor])
  const link: Tool = {
    label: 'Link',
    icon: 'link',
    mark: 'link',
    run: () => {
      setLinking(true)
      return true
    },
  }
  const groups = [...TOOLS, editor.isActive('table') ? [link, ...INSERTS.slice(1)] : [link, ...INSERTS]]
  return (
    <>
      <div class="toolbar" role="toolbar" aria-label="Formatting">
        {groups.map((tools, index) => (
          <Group key={index} tools={tools} editor={editor} />
        ))}
        {editor.isActive('table') && <Group tools={TABLE} editor={editor} />}
      </div>
      {linking && <LinkDialog editor={editor} onClose={() => setLinking(false)} />}
    </>
  )
}

function Group({ tools, editor }: { tools: Tool[]; editor: Editor }) {
  return (
    <span class="group">
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
          {tool.icon ? <Icon name={tool.icon} /> : tool.face}
        </button>
      ))}
    </span>
  )
}

function LinkDialog({ editor, onClose }: { editor: Editor; onClose: () => void }) {
  const known = String(editor.getAttributes('link').href ?? '')
  const finish = (change: (chain: ReturnType<Editor['chain']>) => ReturnType<Editor['chain']>) => {
    onClose()
    change(editor.chain().focus()).run()
  }
  const submit = (event: Event) => {
    const { href = '' } = values(event)
    const address = /^[a-z][a-z+.-]*:/i.test(href) ? href : `https://${href}`
    finish((chain) =>
      editor.state.selection.empty && !known
        ? chain.insertContent({ type: 'text', text: href, marks: [{ type: 'link', attrs: { href: address } }] })
        : chain.extendMarkRange('link').setLink({ href: address }),
    )
  }
  return (
    <Dialog title="Link" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Address" name="href" placeholder="example.com/page" defaultValue={known} autocomplete="off" required autofocus />
        <div class="actions">
          {known && (
            <button type="button" onClick={() => finish((chain) => chain.extendMarkRange('link').unsetLink())}>
              Remove link
            </button>
          )}
          <button class="primary">{known ? 'Change' : 'Link'}</button>
        </div>
      </form>
    </Dialog>
  )
}

function picture(editor: Editor): boolean {
  void import('../editor/pictures').then(({ choosePicture }) => choosePicture(editor.view))
  return true
}
