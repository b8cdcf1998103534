// Two clocks, in milliseconds.

/** The time that passes. */
export const wallClock = () => performance.now()

/** The time of the processor, in all threads of this program. Other programs do not change it. Browsers do not tell it. */
export const cpuClock = globalThis.process?.cpuUsage && readCpu

function readCpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
