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

/** Nothing was decided: the server, or something it needs, is out of reach or too busy. Later it may answer. */
export function isOutage(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Problem && (error.status >= 500 || error.status === 429))
}

interface Options {
  body?: unknown
  raw?: BodyInit
  headers?: Record<string, string>
  /** Doing it twice is no harm: the server need not remember that it was done. */
  again?: boolean
}

let refreshing: Promise<boolean> | null = null

/** One refresh at a time, whoever needs it. Nobody is signed out by a server that cannot answer. */
function refreshed(): Promise<boolean> {
  refreshing ??= refresh().finally(() => {
    refreshing = null
  })
  return refreshing
}

async function refresh(): Promise<boolean> {
  const answer = await reach('/auth/refresh', { method: 'POST', headers: { 'content-type': 'application/json' } })
  if (answer.ok) return true
  const problem = await problemOf(answer)
  if (isOutage(problem)) throw problem
  return false
}

function reach(path: string, init: RequestInit): Promise<Response> {
  return fetch(`/api/v1${path}`, init).catch(() => {
    throw new Unreachable()
  })
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
    if (!options.again) headers['idempotency-key'] ??= crypto.randomUUID()
  }
  const send = () => reach(path, { method, headers, body })
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
