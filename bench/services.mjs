/** What the services say of themselves. */

/** Resident memory of each, in MiB. */
export const residentMiB = (stack, services) =>
  ofEach(stack, services, (text) => {
    const bytes = Number(/^\w*process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1]);
    return Math.round(bytes / 2 ** 20);
  });

/** How many records each has still to read, as it last saw itself. */
export const recordsBehind = (stack, services) =>
  ofEach(stack, services, (text) => {
    const lags = [...text.matchAll(/^\w*consumer_lag_records(?:\{[^}]*\})? (\S+)/gm)];
    return lags.reduce((sum, [, records]) => sum + Number(records), 0);
  });

async function ofEach(stack, services, read) {
  const told = services.map(async (service) => {
    const metrics = await fetch(`${stack.addresses[service]}/metrics`);
    return [service, read(await metrics.text())];
  });
  return Object.fromEntries(await Promise.all(told));
}
