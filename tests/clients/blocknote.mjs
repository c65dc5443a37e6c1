// BlockNote with its collaboration.

import { place } from './page.mjs'

const { BlockNoteEditor } = await import('@blocknote/core')

export const open = async (ydoc, awareness) => {
  const user = { name: 'Somebody', color: '#337ab7' }
  const collaboration = { fragment: ydoc.getXmlFragment('default'), user, provider: { awareness } }
  const editor = BlockNoteEditor.create({ collaboration })
  editor.mount(place())
  await new Promise((resolve) => setTimeout(resolve, 0))
  return editor
}
