// Preloaded into every test file by scripts/run-tests.ts: on SIGUSR2 prints what keeps the process alive.
// It must not keep the process alive itself, nor print anything unasked.

process.on('SIGUSR2', () => {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  const list = [...counts].map(([name, count]) => `${name} x${count}`).join(', ')
  process.stderr.write(`\nstill active: ${list || 'nothing'}\n`)
})
