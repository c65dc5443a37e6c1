/** What was thrown away, and the way back. */

import { useEffect, useState } from 'preact/hooks'
import { all } from '../api'
import { Empty, Icon, Time } from '../parts'
import { attempt, org, recover } from '../state'
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
  return (
    <Sheet title="Trash" hint="Nobody can open or change what is here. It is kept, with its whole history, until somebody restores it.">
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
              <button type="button" aria-label={`Restore ${doc.title || 'Untitled'}`} onClick={() => void recover(doc).then(load)}>
                <Icon name="undo" /> Restore
              </button>
            )}
          </li>
        ))}
      </ul>
    </Sheet>
  )
}
