// What ocpp-ws-io wants of its log library. Nothing is written: what went over the wire is the test's business.
const silent = () => {};
export const consoleTransport = () => ({ name: 'console', write: silent });
export const prettyTransport = consoleTransport;
export function createLogger() {
  const logger = { child: () => logger, flush: async () => {}, close: async () => {} };
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'log']) logger[level] = silent;
  return logger;
}
