/** What was thrown away, and the way back. */

import { useEffect, useState } from 'preact/hooks'
import { all, post } from '../api'
import { sure } from '../asking'
import { count, Empty, Icon, IconButton, Time } from '../parts'
import { attempt, org, recover, say } from '../state'
import type { Doc } from '../types'
import { Sheet } from './Shell'

export function Trash() {
  const [found, setFound] = useState<Doc[] | null>(null)
  const here = org.value?.id
  const load = () =>
    attempt(async () => {
      const trashed = here ? await all<Doc>(`/orgs/${here}/documents?trashed=true&limit=200`) : []
      setFound(trashed.sort((one, other) => (other.trashed_at ?? '').localeCompare(one.trashed_at ?? '')))
    })
  useEffect(() => void load(), [here])
  const erase = async (doc: Doc) => {
    const text = 'Its whole history goes with it: nobody can bring it back.'
    if (!(await sure(`Delete “${doc.title || 'Untitled'}” for good?`, text, 'Delete for good'))) return
    await attempt(async () => {
      await post(`/documents/${doc.id}/erase`)
      say(`“${doc.title || 'Untitled'}” is deleted.`)
    })
    await load()
  }
  const erasable = found?.filter((doc) => doc.level === 'manage') ?? []
  const empty = async () => {
    const text = `${count(erasable.length, 'document')} with their whole history: nobody can bring them back.`
    if (!(await sure('Empty the trash?', text, 'Delete all for good'))) return
    await attempt(async () => {
      while ((await post<{ erased: number }>(`/orgs/${here}/trash/empty`)).erased);
      say('The trash has been emptied.')
    })
    await load()
  }
  return (
    <Sheet
      title="Trash"
      hint="Nobody can open or change what is here. It is kept, with its whole history, until somebody restores it or deletes it for good."
      actions={
        erasable.length > 0 && (
          <button type="button" class="danger" onClick={() => void empty()}>
            Empty the trash
          </button>
        )
      }
    >
      {found?.length === 0 && (
        <Empty icon="trash" title="The trash is empty">
          <p>Documents that are moved to the trash can be restored from here.</p>
        </Empty>
      )}
      <ul class="list boxed" aria-label="In the trash">
        {found?.map((doc) => (
          <li key={doc.id} class="row">
            <Icon name="page" />
            <span class="grow">
              <strong>{doc.title || 'Untitled'}</strong>
              <small>
                moved here <Time at={doc.trashed_at ?? doc.updated_at} />
              </small>
            </span>
            {doc.level === 'manage' && (
              <>
                <button type="button" aria-label={`Restore ${doc.title || 'Untitled'}`} onClick={() => void recover(doc).then(load)}>
                  <Icon name="undo" /> Restore
                </button>
                <IconButton icon="trash" class="icon-button danger" label={`Delete ${doc.title || 'Untitled'} for good`} onClick={() => void erase(doc)} />
              </>
            )}
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
