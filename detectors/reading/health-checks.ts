/** The answers of Kubernetes' own services to /healthz, /livez and /readyz, which list each check on a line of its own. */

/** Names of the checks that failed, of lines such as `[-]etcd failed: reason withheld`; none when it says nothing of them. */
export function failedChecks(body: string): readonly string[] {
  return [...body.matchAll(/^\[-\](\S{1,100})/gm)].slice(0, 16).map(([, name = '']) => name)
}
