// Two clocks, in milliseconds.

/** The elapsed time. */
export const wallClock = () => performance.now()

/** The processor time, in all threads of this program. Other programs do not affect it. Browsers do not report it. */
export const cpuClock = globalThis.process?.cpuUsage && readCpu

function readCpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
