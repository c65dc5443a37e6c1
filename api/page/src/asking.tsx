/** Asking once more before something that cannot be taken back. */

import { signal } from '@preact/signals'
import { Dialog } from './parts'

interface Question {
  title: string
  text: string
  verb: string
  answer: (yes: boolean) => void
}

const asked = signal<Question | null>(null)

export function sure(title: string, text: string, verb: string): Promise<boolean> {
  return new Promise((answer) => {
    asked.value = { title, text, verb, answer }
  })
}

export function Asking() {
  const question = asked.value
  if (!question) return null
  const answer = (yes: boolean) => {
    asked.value = null
    question.answer(yes)
  }
  return (
    <Dialog title={question.title} onClose={() => answer(false)}>
      <p>{question.text}</p>
      <div class="actions">
        <button type="button" onClick={() => answer(false)}>
          Cancel
        </button>
        <button type="button" class="danger" onClick={() => answer(true)}>
          {question.verb}
        </button>
      </div>
    </Dialog>
  )
}
