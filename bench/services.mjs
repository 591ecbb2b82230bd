/** What the services say of themselves. */

/** Resident memory of each, in MiB. */
export async function residentMiB(stack, services) {
  const sizes = services.map(async (service) => {
    const text = await (await fetch(`${stack.addresses[service]}/metrics`)).text();
    const bytes = Number(/^\w*process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1]);
    return [service, Math.round(bytes / 2 ** 20)];
  });
  return Object.fromEntries(await Promise.all(sizes));
}

/** How many records each has still to read, as it last saw itself. */
export async function recordsBehind(stack, services) {
  const counts = services.map(async (service) => {
    const text = await (await fetch(`${stack.addresses[service]}/metrics`)).text();
    const lags = [...text.matchAll(/^\w*consumer_lag_records(?:\{[^}]*\})? (\S+)/gm)];
    return [service, lags.reduce((sum, [, records]) => sum + Number(records), 0)];
  });
  return Object.fromEntries(await Promise.all(counts));
}
