/** What a document can hold: the same nodes wherever one is shown. */

import type { Extensions } from '@tiptap/core'
import Image from '@tiptap/extension-image'
import { TaskItem, TaskList } from '@tiptap/extension-list'
import { TableKit } from '@tiptap/extension-table'
import StarterKit from '@tiptap/starter-kit'

export const schema: Extensions = [
  StarterKit.configure({
    undoRedo: false,
    trailingNode: false,
    link: { openOnClick: false, autolink: true, protocols: ['http', 'https', 'mailto'] },
  }),
  TaskList,
  TaskItem.configure({ nested: true, a11y: { checkboxLabel: (node) => `Done: ${node.textContent || 'empty task'}` } }),
  TableKit.configure({ table: { resizable: false } }),
  Image.configure({ allowBase64: true }),
]
