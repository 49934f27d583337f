// As whom PostgreSQL's programs run. They refuse to run as root, so root becomes somebody else:
// within a user namespace when the system allows one (files stay root's, and folders that only root
// may enter stay enterable), else as an unprivileged user. A cluster remembers its account by the
// owner of its files.
import { execFile } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { StartupError } from '../../errors.ts'

const run = promisify(execFile)

/** Who runs PostgreSQL. */
export type Account =
  | { readonly kind: 'ourselves' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }

/** A program and its arguments as the account runs it, for `spawn` and `execFile`. */
export type Command = {
  readonly file: string
  readonly args: readonly string[]
  readonly ids: { readonly uid?: number; readonly gid?: number }
}

// 65534 is `nobody` everywhere; initdb wants its user to have a name.
const namespace = ['--user', '--map-user=65534', '--map-group=65534', '--']

/** How to start a program as this account. */
export function asAccount(account: Account, file: string, args: readonly string[]): Command {
  if (account.kind === 'namespace')
    return { file: 'unshare', args: [...namespace, file, ...args], ids: {} }
  if (account.kind === 'ourselves') return { file, args, ids: {} }
  return { file, args, ids: { uid: account.uid, gid: account.gid } }
}

/**
 * How this account names the cluster folder, which must be its working directory. An unprivileged
 * user may be unable to enter a folder above it (ours is 0700 and root's), but it is already in
 * there: /proc/self/cwd leads to where a process stands without a look at the way.
 */
export function clusterPath(account: Account, cluster: string): string {
  return account.kind === 'user' ? '/proc/self/cwd' : cluster
}

/**
 * Decides as whom to run: as the owner of the cluster if there is one, else as whoever is possible.
 * @throws StartupError when the owner of the cluster can be nobody here
 */
export async function chooseAccount(dataDirectory: string, cluster: string): Promise<Account> {
  const uid = process.getuid?.()
  const owner = statSync(join(cluster, 'PG_VERSION'), { throwIfNoEntry: false })
  if (owner !== undefined && owner.uid !== uid) {
    if (uid === 0) return { kind: 'user', uid: owner.uid, gid: owner.gid }
    throw new StartupError(
      `The database in ${cluster} belongs to the user with id ${owner.uid}, and this gateway ` +
        `runs as ${uid}. Run it as that user, or set another DATA_DIR.`,
    )
  }
  if (uid !== 0 && hasName()) return { kind: 'ourselves' }
  if (await namespaceReaches(dataDirectory)) return { kind: 'namespace' }
  if (uid !== 0) return { kind: 'ourselves' }
  if (owner === undefined) return unprivilegedUser()
  throw new StartupError(
    `The database in ${cluster} was made by root in a user namespace, which is not possible ` +
      `here. Give it to another user: chown -R postgres: ${cluster}`,
  )
}

function hasName(): boolean {
  try {
    return userInfo().username !== ''
  } catch {
    return false
  }
}

async function namespaceReaches(directory: string): Promise<boolean> {
  try {
    await run('unshare', [...namespace, 'test', '-w', directory])
    return true
  } catch {
    return false
  }
}

function unprivilegedUser(): Account {
  const users = process.platform === 'linux' ? readFileSync('/etc/passwd', 'utf8') : ''
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.match(new RegExp(`^${name}:.*$`, 'm'))?.[0].split(':') ?? []
    if (Number(uid) > 0) return { kind: 'user', uid: Number(uid), gid: Number(gid) }
  }
  throw new StartupError(
    'PostgreSQL does not run as root, and there is no other user to run it as. Run the gateway ' +
      'as an ordinary user, or set DATABASE_URL.',
  )
}
