// Tiptap with its Collaboration extension.

import { place } from './page.mjs'

const { Editor } = await import('@tiptap/core')
const { StarterKit } = await import('@tiptap/starter-kit')
const { Collaboration } = await import('@tiptap/extension-collaboration')

export const open = async (ydoc) => {
  // Undoing is Collaboration's own there; links and underlines are as StarterKit sets them up.
  const editor = new Editor({
    element: place(),
    extensions: [StarterKit.configure({ undoRedo: false }), Collaboration.configure({ document: ydoc })]
  })
  await new Promise((resolve) => setTimeout(resolve, 0))
  return editor
}
