/** Links that came by mail: an invitation to accept, a request for access to answer. */

import { useState } from 'preact/hooks'
import { post } from '../api'
import { Empty } from '../parts'
import { go, linkToken } from '../router'
import { attempt, loadOrgs, orgId, say } from '../state'
import { Sheet } from './Shell'

export function Join() {
  const [token] = useState(linkToken)
  const join = async () => {
    const joined = await attempt(() => post<{ org_id: string }>('/invitations/accept', { token }))
    if (!joined) return
    orgId.value = joined.org_id
    await attempt(loadOrgs)
    say('Welcome.')
    go('/')
  }
  return (
    <Sheet title="Invitation">
      <Empty icon="user" title="You have been invited">
        <p>Accept, and you see the documents of the organization you were invited to.</p>
        <button type="button" class="primary" onClick={() => void join()}>
          Accept the invitation
        </button>
      </Empty>
    </Sheet>
  )
}

/** The token names the document and the request; whoever opens it must manage the document anyway. */
export function AccessRequest() {
  const [document, request] = useState(linkToken)[0].split('.')
  const decide = async (verb: 'approve' | 'deny') => {
    const path = `/documents/${document}/access-requests/${request}/${verb}`
    if (!(await attempt(() => post(path).then(() => true)))) return
    say(verb === 'approve' ? 'They have access now.' : 'Denied.')
    go(`/d/${document}`)
  }
  return (
    <Sheet title="Request for access">
      <Empty icon="user" title="Somebody asks for access">
        <p>
          They would like to open <a href={`/d/${document}`}>this document</a>.
        </p>
        <div class="actions">
          <button type="button" onClick={() => void decide('deny')}>
            Deny
          </button>
          <button type="button" class="primary" onClick={() => void decide('approve')}>
            Give access
          </button>
        </div>
      </Empty>
    </Sheet>
  )
}
