/** The page: which view is shown where. */

import { render } from 'preact'
import { useEffect } from 'preact/hooks'
import { follow, go, place } from './router'
import { me, start, toast } from './state'
import { Account } from './views/Account'
import { Admin } from './views/Admin'
import { DocumentView } from './views/Document'
import { Forgot, Reset, SignIn, SignUp } from './views/Door'
import { Home } from './views/Home'
import { Join } from './views/Join'
import { OrgView } from './views/Org'
import { Shell } from './views/Shell'

function View() {
  const { name, id, tab } = place.value
  switch (name) {
    case 'document':
      return <DocumentView key={id} id={id ?? ''} tab={tab} />
    case 'org':
      return <OrgView key={id} id={id ?? ''} />
    case 'account':
      return <Account />
    case 'admin':
      return <Admin />
    case 'join':
      return <Join />
    case 'lost':
      return <p class="empty">There is no such page.</p>
    default:
      return <Home />
  }
}

const OPEN = ['sign-in', 'sign-up', 'forgot', 'reset']

function Page() {
  const { name } = place.value
  const known = me.value
  const leaving = known === null && !OPEN.includes(name)
  const arriving = known && (name === 'sign-in' || name === 'sign-up')
  useEffect(() => {
    if (leaving) go(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`, true)
    else if (arriving) go(new URLSearchParams(location.search).get('next') ?? '/', true)
  }, [leaving, arriving])
  if (known === undefined || leaving || arriving) return <div class="loading" role="status" aria-label="Loading" />
  if (name === 'sign-in') return <SignIn />
  if (name === 'sign-up') return <SignUp />
  if (name === 'forgot') return <Forgot />
  if (name === 'reset') return <Reset />
  return (
    <Shell>
      <View />
    </Shell>
  )
}

function Toast() {
  const shown = toast.value
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown && <div class={shown.bad ? 'toast bad' : 'toast'}>{shown.text}</div>}
    </div>
  )
}

document.addEventListener('click', follow)
const root = document.getElementById('app') as HTMLElement
start()
  .catch((error: unknown) => {
    root.textContent = `Doxie cannot be reached: ${error instanceof Error ? error.message : String(error)}`
    throw error
  })
  .then(() =>
    render(
      <>
        <Page />
        <Toast />
      </>,
      root,
    ),
  )
