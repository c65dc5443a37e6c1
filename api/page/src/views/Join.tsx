/** Accepting an invitation. */

import { post } from '../api'
import { go } from '../router'
import { attempt, loadOrgs, orgId, say } from '../state'
import { MenuButton } from './Shell'

export function Join() {
  const token = new URLSearchParams(location.search).get('token') ?? ''
  const join = async () => {
    const joined = await attempt(() => post<{ org_id: string }>('/invitations/accept', { token }))
    if (!joined) return
    orgId.value = joined.org_id
    await attempt(loadOrgs)
    say('Welcome.')
    go('/')
  }
  return (
    <div class="view">
      <header class="bar">
        <MenuButton />
        <h1>Join</h1>
      </header>
      <section class="empty">
        <p>You have been invited to an organization.</p>
        <button type="button" class="primary" onClick={() => void join()}>
          Accept the invitation
        </button>
      </section>
    </div>
  )
}
