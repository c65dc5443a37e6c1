/*
 * The page without the server: the files it was built of, kept by the browser. Nothing of anybody's documents is in
 * here. A new version waits until every tab of the old one is closed, so that none looks for files that are gone.
 */

const FILES = ["/","/icon.svg","/assets/dist-BJrmHKyY.js","/assets/editor-kqwCwa36.js","/assets/index-C5W40Kdg.js","/assets/index-DtNzAgPZ.css","/assets/pictures-CEEtLGWL.js"]
const CACHE = 'page-a9ef5eec446a'

addEventListener('install', (event) => event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES))))
addEventListener('activate', (event) => event.waitUntil(begin()))
addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== location.origin) return
  if (request.mode === 'navigate') event.respondWith(pathname.startsWith('/api/') ? asked(event) : visit(event))
  else if (FILES.includes(pathname)) event.respondWith(file(request))
})

async function begin() {
  for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name)
  // The browser asks the server while this worker wakes up.
  await registration.navigationPreload?.enable()
}

/** The server comes first. Where it is out of reach there is the page, which says so. */
async function visit(event) {
  try {
    const answer = await asked(event)
    if (answer.status < 500) return answer
  } catch {
    // out of reach
  }
  return (await kept('/')) ?? Response.error()
}

/** Once only: what is left to the browser is asked for again, although the preloading has asked already. */
async function asked(event) {
  return (await event.preloadResponse) ?? fetch(event.request)
}

async function file(request) {
  return (await kept(request)) ?? fetch(request)
}

async function kept(request) {
  return (await caches.open(CACHE)).match(request)
}
