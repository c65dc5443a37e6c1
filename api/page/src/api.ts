/** Requests to the REST API: the browser's cookies say who asks; an expired access token is refreshed once. */

export interface ProblemBody {
  type: string
  title: string
  status: number
  detail: string
  errors?: { loc: string[]; msg: string }[]
}

/** What the API answered instead of what was asked for. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    detail: string,
  ) {
    super(detail)
  }

  get name(): string {
    return this.type.replace('urn:doxie:', '')
  }

  /** Nobody is signed in (any more); a wrong password or code is something else. */
  get isSignedOut(): boolean {
    return this.status === 401 && (this.name === 'Unauthenticated' || this.name === 'SessionOver')
  }
}

/** The server cannot be reached. */
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached.')
  }
}

interface Options {
  body?: unknown
  raw?: BodyInit
  headers?: Record<string, string>
}

let refreshing: Promise<boolean> | null = null

/** One refresh at a time, whoever needs it. */
function refreshed(): Promise<boolean> {
  refreshing ??= fetch('/api/v1/auth/refresh', { method: 'POST', headers: { 'content-type': 'application/json' } })
    .then((answer) => answer.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null
    })
  return refreshing
}

export async function request(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...options.headers }
  let body = options.raw
  if (options.body !== undefined) {
    headers['content-type'] = 'application/json'
    body = JSON.stringify(options.body)
  }
  if (method !== 'GET') {
    headers['content-type'] ??= 'application/json'
    headers['idempotency-key'] ??= crypto.randomUUID()
  }
  const send = () =>
    fetch(`/api/v1${path}`, { method, headers, body }).catch(() => {
      throw new Unreachable()
    })
  let answer = await send()
  if (answer.ok) return answer
  let problem = await problemOf(answer)
  if (problem.isSignedOut && (await refreshed())) {
    answer = await send()
    if (answer.ok) return answer
    problem = await problemOf(answer)
  }
  throw problem
}

async function problemOf(answer: Response): Promise<Problem> {
  const body = (await answer.json().catch(() => ({}))) as Partial<ProblemBody>
  return new Problem(answer.status, body.type ?? '', body.detail ?? answer.statusText)
}

export async function get<T>(path: string): Promise<T> {
  return (await request('GET', path)).json() as Promise<T>
}

export async function post<T = void>(path: string, body?: unknown): Promise<T> {
  return answered<T>(await request('POST', path, { body: body ?? {} }))
}

export async function patch<T = void>(path: string, body: unknown): Promise<T> {
  return answered<T>(await request('PATCH', path, { body }))
}

export async function put<T = void>(path: string, body: unknown): Promise<T> {
  return answered<T>(await request('PUT', path, { body }))
}

export async function del(path: string, body?: unknown): Promise<void> {
  await request('DELETE', path, body === undefined ? {} : { body })
}

export async function bytes(path: string): Promise<Uint8Array> {
  const answer = await request('GET', path, { headers: { accept: 'application/octet-stream' } })
  return new Uint8Array(await answer.arrayBuffer())
}

/** Every item of a paged list. */
export async function all<T>(path: string): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  do {
    const separator = path.includes('?') ? '&' : '?'
    const page: { items: T[]; next_cursor: string | null } = await get(
      cursor ? `${path}${separator}cursor=${encodeURIComponent(cursor)}` : path,
    )
    items.push(...page.items)
    cursor = page.next_cursor
  } while (cursor)
  return items
}

async function answered<T>(answer: Response): Promise<T> {
  const text = await answer.text()
  return (text ? JSON.parse(text) : undefined) as T
}
