/** Ends what services-up.mjs started; nothing when the environment named all the services. */
export default async function servicesDown() {
  await globalThis.mayflyTestServices?.stop();
}
