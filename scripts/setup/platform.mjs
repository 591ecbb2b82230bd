// Read by the oldest Node that somebody may have, so: nothing newer than what Node 14 knows.
/**
 * Why Mayfly does not run here, or null.
 * @param {{ platform: string, nodeVersion: string }} machine as in process.platform and process.versions.node
 * @returns {{ message: string, remedy: string } | null}
 */
export function unsupported({ platform, nodeVersion }) {
  if (platform === 'win32') {
    return {
      message: 'Mayfly runs on Linux and macOS, not on Windows itself',
      remedy: 'Run it in WSL (`wsl --install`, then clone it there)',
    };
  }
  const [major, minor] = nodeVersion.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return {
      message: `Mayfly needs Node.js 20.19 or newer, and this is ${nodeVersion}`,
      remedy: 'Install the current LTS version of Node.js (https://nodejs.org)',
    };
  }
  return null;
}
