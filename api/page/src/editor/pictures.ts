/** Pictures that are pasted or dropped: made small enough to live in the document. */

import type { EditorView } from '@tiptap/pm/view'
import { say } from '../state'

const LONGEST = 1600
const LARGEST_BYTES = 400_000

export function pictures(view: EditorView, data: DataTransfer | null): boolean {
  const files = [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'))
  for (const file of files) void insert(view, file)
  return files.length > 0
}

/** Ask for a file, and put it where the cursor is. */
export function choosePicture(view: EditorView): void {
  const picker = document.createElement('input')
  picker.type = 'file'
  picker.accept = 'image/*'
  picker.onchange = () => {
    for (const file of picker.files ?? []) void insert(view, file)
    view.focus()
  }
  picker.click()
}

async function insert(view: EditorView, file: File): Promise<void> {
  const src = await shrunk(file).catch(() => null)
  if (src === null) {
    say(`${file.name || 'The picture'} cannot be read, or is too large.`, true)
    return
  }
  const node = view.state.schema.nodes.image?.create({ src, alt: file.name.replace(/\.\w+$/, '') })
  if (node) view.dispatch(view.state.tr.replaceSelectionWith(node))
}

async function shrunk(file: File): Promise<string | null> {
  const bitmap = await createImageBitmap(file)
  let scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height))
  for (let attempt = 0; attempt < 5; attempt += 1, scale *= 0.7) {
    const canvas = document.createElement('canvas')
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    const url = canvas.toDataURL('image/webp', 0.85)
    if (url.length < LARGEST_BYTES) return url
  }
  return null
}
